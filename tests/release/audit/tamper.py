"""A hundred and more ways to write to a ledger past the platform, each with the first event that is bad then."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.events import KINDS, Move
from dataops_platform.manifests.events import Event as LedgerEvent
from dataops_platform.warehouse import documents
from dataops_platform.warehouse.lake import Lake

LEDGER, DOCUMENTS, NODES = "lake._dataops.ledger", "lake._dataops.documents", "lake._dataops.nodes"
LAST = 9
MOVES = (1, 2, 4, 7, LAST)
"""The events of prod that show a cut for the first time; 5 goes back to that of 2."""
Event = dict[str, Any]
Edit = Callable[[Event], None]


@dataclass(frozen=True)
class Tampering:
    """`do` to a lake; then `bad` (environment and number) is the first bad event. `forgotten`: the anchors are gone."""

    name: str
    do: Callable[[Lake], None]
    bad: tuple[str, int]
    forgotten: bool = False


def tamperings() -> Iterator[Tampering]:
    """All of them, for the history that test_tampering.py makes: nine events of prod, three releases, three plans."""
    yield from of_one_event()
    yield from of_many_events()
    yield from of_the_head()
    yield from of_what_follows()
    yield from of_cuts()
    yield from of_documents()
    yield from of_signatures()


def of_one_event() -> Iterator[Tampering]:
    for n in range(1, LAST + 1):
        yield Tampering(f"body {n}", body(n, actor), ("prod", n))
        yield Tampering(f"body {n}, hashed again", body(n, moment, hashed=True), ("prod", n))
        yield Tampering(f"hash {n}", sql(f"update {LEDGER} set hash = 'sha256:0' where {at(n)}"), ("prod", n))
        yield Tampering(f"deleted {n}", sql(f"delete from {LEDGER} where {at(n)}"), ("prod", n))
        yield Tampering(f"doubled {n}", sql(f"insert into {LEDGER} from {LEDGER} where {at(n)}"), ("prod", n))
    for n in (1, 4, LAST):
        away = sql(f"update {LEDGER} set environment = 'staging' where {at(n)}")
        yield Tampering(f"moved to staging {n}", away, ("prod", n))
        yield Tampering(f"white space {n}", sql(f"update {LEDGER} set body = body || ' ' where {at(n)}"), ("prod", n))
        yield Tampering(f"no event {n}", sql(f"update {LEDGER} set body = '[]' where {at(n)}"), ("prod", n))
    for value in ("null", "-3", "0", "100"):
        renumbered = sql(f"update {LEDGER} set sequence = {value} where {at(5)}")
        yield Tampering(f"number 5 is {value}", renumbered, ("prod", 5))


def of_many_events() -> Iterator[Tampering]:
    for n in range(1, LAST + 1):
        yield Tampering(f"rewritten from {n}", rewrite(n, actor), ("prod", n))
    for n in range(1, LAST):
        yield Tampering(f"cut off after {n}", cut_off(n), ("prod", n + 1))
        swap = f"update {LEDGER} set sequence = {2 * n + 1} - sequence where environment = 'prod' and sequence in "
        yield Tampering(f"{n} and {n + 1} swapped", sql(f"{swap} ({n}, {n + 1})"), ("prod", n))
    yield Tampering("all events gone", sql(f"delete from {LEDGER} where environment = 'prod'"), ("prod", 1))
    gone = sql(f"delete from {LEDGER} where environment = 'prod'", "drop view lake._dataops.head__prod")
    yield Tampering("the environment gone", gone, ("prod", 1))
    yield Tampering("the same ledger, written anew", rewrite(1, lambda _: None), ("prod", 2), forgotten=True)


def of_the_head() -> Iterator[Tampering]:
    for key in ("hash", "body", "moved"):
        yield Tampering(f"head: {key}", head(**{key: "sha256:0"}), ("prod", LAST))
    yield Tampering("head: another cut", head_of_move(4), ("prod", LAST))
    yield Tampering("head: an older event", head_at(LAST - 1), ("prod", LAST))
    yield Tampering("head: an event to come", head_to_come, ("prod", LAST + 1))
    yield Tampering("head: gone", sql("drop view lake._dataops.head__prod"), ("prod", LAST))
    yield Tampering(
        "head: other columns", sql("create or replace view lake._dataops.head__prod as select 1 as x"), ("prod", LAST)
    )
    yield Tampering(
        "head: of nothing",
        sql("create view lake._dataops.head__ghost as select '' as hash, '{}' as body, '{}' as moved"),
        ("ghost", 0),
    )


def of_what_follows() -> Iterator[Tampering]:
    """Rewritten to the end with all hashes right, and nobody remembers: what is said must follow from what was said."""
    edits: dict[int, dict[str, Edit]] = {
        1: {"pointer": put("pointer", 0), "publication": put("publication", "sha256:0"), "held": put("held", True)},
        2: {
            "publication": put("publication", "sha256:0"),
            "release": put("release", "sha256:0"),
            "code": put("code", "sha256:0"),
            "held": put("held", True),
            "pointer": put("pointer", 2),
            "cut": put("cut", "sha256:0"),
            "no cut": lambda event: event.pop("cut"),
            "tables": put("tables", 7),
            "models": put("models", 1),
            "kind": put("kind", "approved"),
            "format": put("format", 2),
            "actor": lambda event: event.pop("actor"),
            "type": put("held", "no"),
        },
        3: {
            "publication": put("publication", "sha256:0"),
            "a cut": put("cut", ""),
            "release": put("release", ""),
            "number": put("sequence", 4),
            "environment": put("environment", "dev"),
            "before": put("previous", ""),
        },
        5: {"target": put("to", 1), "no target": put("to", 3), "held": put("held", False), "code": put("code", "")},
        6: {"held": put("held", True), "pointer": put("pointer", 6)},
        LAST: {"held": put("held", True), "kind": put("kind", "publication"), "pointer": put("pointer", 1)},
    }
    for n, named in edits.items():
        for name, edit in named.items():
            yield Tampering(f"{n}: {name}", rewrite(n, edit), ("prod", n), forgotten=True)


def of_cuts() -> Iterator[Tampering]:
    """Told at the event that showed it first."""
    for n in MOVES:
        cut = f"id = (select body ->> '$.cut' from {LEDGER} where {at(n)} limit 1)"
        area = sql(f"update {NODES} set body = replace(body, 'area', 'Area') where {cut}")
        digest = sql(f"update {NODES} set body = replace(body, 'dp1:', 'dp1:1') where {cut}")
        yield Tampering(f"cut {n}: area of a table", area, ("prod", n), forgotten=True)
        yield Tampering(f"cut {n}: digest of a table", digest, ("prod", n))
        yield Tampering(f"cut {n}: gone", sql(f"delete from {NODES} where {cut}"), ("prod", n))
        node = f"(select body ->> '$.members[0].windows.node' from {NODES} where {cut} limit 1)"
        yield Tampering(f"windows {n}: gone", sql(f"delete from {NODES} where id = {node}"), ("prod", n))


def of_documents() -> Iterator[Tampering]:
    """Of each release and plan; told at the event that names it first: a build in dev, a promotion in prod."""
    for number, (build, promotion) in enumerate(((2, 1), (4, 4), (6, 9))):
        release, plan = one("release", number), one("plan", number)
        for name, edit in {
            "contents": lambda plain: plain["contents"].update(code="sha256:0"),
            "digest of a table": lambda plain: plain["contents"]["tables"].update(orders="dp1:1:0:0"),
            "version of a table": lambda plain: plain["locators"]["cut"]["members"][0].update(version="1"),
            "area of a table": lambda plain: plain["locators"]["cut"]["members"][0].update(area="prod"),
        }.items():
            yield Tampering(f"release {number}: {name}", document(release, edit), ("dev", build))
        yield Tampering(f"release {number}: gone", without(release), ("dev", build))
        yield Tampering(
            f"release {number}: exchanged",
            exchanged(release, one("release", (number + 1) % 3)),
            ("dev", min(build, (4, 6, 2)[number])),
        )
        for name, edit in {
            "another release": put("release", "sha256:0"),
            "an answer": lambda plain: plain["answers"].append(
                {"gate": "approval", "verdict": "pass", "message": "by eve", "evidence": {}}
            ),
            "maker": put("made_by", "eve"),
        }.items():
            yield Tampering(f"plan {number}: {name}", document(plan, edit), ("prod", promotion))
        yield Tampering(f"plan {number}: gone", without(plan), ("prod", promotion))
    yield Tampering("release 0: a second of its name", doubled(one("release", 0)), ("dev", 2))


def of_signatures() -> Iterator[Tampering]:
    """Events 7, 8 and 9 are signed."""
    for n in (7, 8, LAST):
        broken = sql(f"update {LEDGER} set signature = replace(signature, 'U1NIU0lH', 'AAAA') where {at(n)}")
        yield Tampering(f"signature {n} broken", broken, ("prod", n))
    other = f"(select max(signature) from {LEDGER} where environment = 'prod' and sequence = 8)"
    yield Tampering(
        "signature of another event", sql(f"update {LEDGER} set signature = {other} where {at(7)}"), ("prod", 7)
    )


def at(n: int) -> str:
    return f"environment = 'prod' and sequence = {n}"


def sql(*statements: str) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        for statement in statements:
            lake.connection.execute(statement)

    return do


def put(key: str, value: object) -> Edit:
    def edit(event: Event) -> None:
        assert event.get(key) != value, f"{key} is {value!r} already: nothing is tampered with"
        event[key] = value

    return edit


def actor(event: Event) -> None:
    event["actor"] = "eve"


def moment(event: Event) -> None:
    event["at"] = "2013-01-01T00:00:00+00:00"


def events(lake: Lake) -> list[Event]:
    rows = lake.connection.execute(f"select body from {LEDGER} where environment = 'prod' order by sequence").fetchall()
    return [json.loads(text) for (text,) in rows]


def write(lake: Lake, n: int, event: Event, event_hash: str = "") -> None:
    hashed = f", hash = {literal(event_hash)}" if event_hash else ""
    lake.connection.execute(f"update {LEDGER} set body = {literal(canonical_json(event))}{hashed} where {at(n)}")


def body(n: int, edit: Edit, *, hashed: bool = False) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        event = events(lake)[n - 1]
        edit(event)
        write(lake, n, event, digest_of(event) if hashed else "")

    return do


def rewrite(first: int, edit: Edit) -> Callable[[Lake], None]:
    """Edits an event, and makes every hash from there on and the head view agree with it again."""

    def do(lake: Lake) -> None:
        found = events(lake)
        edit(found[first - 1])
        written = found[: first - 1]
        for event in found[first - 1 :]:
            if event is not found[first - 1]:
                event["previous"] = digest_of(written[-1])
            written.append(event)
        lake.connection.execute("begin")
        for n in range(first, len(found) + 1):
            write(lake, n, found[n - 1], digest_of(found[n - 1]))
        lake.connection.execute("commit")
        point(lake, found)

    return do


def cut_off(n: int) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        kept = events(lake)[:n]
        lake.connection.execute(f"delete from {LEDGER} where environment = 'prod' and sequence > {n}")
        point(lake, kept)

    return do


def point(lake: Lake, found: list[Event]) -> None:
    moved = [event for event in found if issubclass(KINDS.get(event["kind"], LedgerEvent), Move)]
    head(
        hash=digest_of(found[-1]),
        body=canonical_json(found[-1]),
        moved=canonical_json(moved[-1]) if moved else "",
    )(lake)


def head(**values: str) -> Callable[[Lake], None]:
    """Replaces the head view of prod; what is not given stays."""

    def do(lake: Lake) -> None:
        row = lake.connection.execute("select hash, body, moved from lake._dataops.head__prod").fetchone()
        assert row
        full = dict(zip(("hash", "body", "moved"), row, strict=True)) | values
        columns = ", ".join(f"{literal(value)} as {name}" for name, value in full.items())
        lake.connection.execute(f"create or replace view lake._dataops.head__prod as select {columns}")

    return do


def head_at(n: int) -> Callable[[Lake], None]:
    return lambda lake: point(lake, events(lake)[:n])


def head_of_move(n: int) -> Callable[[Lake], None]:
    return lambda lake: head(moved=canonical_json(events(lake)[n - 1]))(lake)


def head_to_come(lake: Lake) -> None:
    found = events(lake)
    coming = {**found[-1], "sequence": LAST + 1, "previous": digest_of(found[-1])}
    point(lake, [*found, coming])


def one(kind: str, number: int) -> Callable[[Lake], tuple[str, str]]:
    """Kind and name of a document by its order."""
    return lambda lake: (kind, list(documents.read(lake.connection, kind))[number])


def document(which: Callable[[Lake], tuple[str, str]], edit: Edit) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        kind, name = which(lake)
        plain = dict(documents.read(lake.connection, kind)[name])
        edit(plain)
        _put(lake, kind, name, canonical_json(plain))

    return do


def without(which: Callable[[Lake], tuple[str, str]]) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        kind, name = which(lake)
        lake.connection.execute(f"delete from {DOCUMENTS} where kind = {literal(kind)} and name = {literal(name)}")

    return do


def exchanged(
    first: Callable[[Lake], tuple[str, str]], second: Callable[[Lake], tuple[str, str]]
) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        (kind, one), (_, other) = first(lake), second(lake)
        texts = {name: canonical_json(body) for name, body in documents.read(lake.connection, kind).items()}
        _put(lake, kind, one, texts[other])
        _put(lake, kind, other, texts[one])

    return do


def doubled(which: Callable[[Lake], tuple[str, str]]) -> Callable[[Lake], None]:
    def do(lake: Lake) -> None:
        kind, name = which(lake)
        text = canonical_json({**documents.read(lake.connection, kind)[name], "eve": "was here"})
        lake.connection.execute(f"insert into {DOCUMENTS} values ({literal(kind)}, {literal(name)}, {literal(text)})")

    return do


def _put(lake: Lake, kind: str, name: str, text: str) -> None:
    where = f"kind = {literal(kind)} and name = {literal(name)}"
    lake.connection.execute(f"update {DOCUMENTS} set body = {literal(text)} where {where}")
