"""The events of a ledger: a record for each kind of thing that can happen in an environment.

`read_event` and `event_text` are their one reader and their one writer, and `hash_of` is the rule of the chain. To add
a kind, write its record and name it in `KINDS`; docs/concepts/formats.md says how records grow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from dataops_platform.kit.digests import canonical_json, digest_of_bytes
from dataops_platform.kit.record import Record, plain_of, record_of

FORMAT = 1
"""The format of an event. A reader refuses a higher one: it does not know what the keys mean there."""


@dataclass(frozen=True, kw_only=True)
class Event(Record):
    """What every event says: what happened and who did it, its place in the chain, and what stands after it.

    `actor` and the fields that a kind adds are given by whoever writes an event; the ledger fills in the rest when it
    appends it. `previous` is the hash of the event before it, `at` a moment in ISO format (UTC). What stands: the
    `release`, the digest of the only `code` that may run, whether the environment is `held`, the id of the
    `publication`, and `pointer`, the sequence of the last event that pointed the environment at a release.
    """

    holds: ClassVar[bool | None] = None
    """Whether the environment is held afterwards; None leaves that as it was."""

    kind: str
    actor: str
    environment: str = ""
    sequence: int = 0
    previous: str = ""
    at: str = ""
    publication: str = ""
    release: str = ""
    code: str = ""
    held: bool = False
    pointer: int = 0
    format: int = FORMAT


@dataclass(frozen=True, kw_only=True)
class Move(Event):
    """An event after which the environment shows another cut.

    `cut` names it, as the lake keeps it; `tables` and `models` count its members.
    """

    cut: str = ""
    tables: int = 0
    models: int = 0


@dataclass(frozen=True, kw_only=True)
class Pointing(Move):
    """A move that points the environment at a release, or at none: its writer gives `release` and `code`.

    Plans are made against the last of these.
    """


@dataclass(frozen=True, kw_only=True)
class GateAnswer(Record):
    """What a gate answered: `pass`, `fail` or `waived`, and why in words."""

    gate: str
    verdict: str
    said: str


@dataclass(frozen=True, kw_only=True)
class Publication(Move):
    """New data is shown under the same release. `run` is the Dagster run that published it."""

    kind: Literal["publication"] = "publication"
    run: str | None = None


@dataclass(frozen=True, kw_only=True)
class Duplicate(Event):
    """A run delivered what is shown already."""

    kind: Literal["duplicate"] = "duplicate"
    run: str | None = None


@dataclass(frozen=True, kw_only=True)
class Promotion(Pointing):
    """A plan was carried out: its id, the digest of its stored text (empty: it was never kept), and the answers."""

    holds = False
    kind: Literal["promotion"] = "promotion"
    plan: str
    plan_document: str
    gates: tuple[GateAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Rollback(Pointing):
    """The environment returned to the state that event `to` made.

    `back` is the way that was asked for, `before` the release that was shown before.
    """

    holds = True
    kind: Literal["rollback"] = "rollback"
    to: int
    back: Literal["release", "data", "to"]
    before: str


@dataclass(frozen=True, kw_only=True)
class Resume(Event):
    """The environment may publish again."""

    holds = False
    kind: Literal["resume"] = "resume"


@dataclass(frozen=True, kw_only=True)
class Creation(Pointing):
    """The environment was made: from what `origin` showed after event `origin_event`, where there is an origin."""

    holds = False
    kind: Literal["creation"] = "creation"
    origin: str | None = None
    origin_event: int | None = None


@dataclass(frozen=True, kw_only=True)
class Drop(Pointing):
    """The environment was dropped, and shows nothing."""

    holds = False
    kind: Literal["drop"] = "drop"


@dataclass(frozen=True, kw_only=True)
class Approval(Event):
    """Somebody approved a plan that promotes the release `approved`. `signature` is empty where it was declared."""

    kind: Literal["approval"] = "approval"
    by: str
    plan: str
    approved: str
    why: str
    signature: str


@dataclass(frozen=True, kw_only=True)
class Refusal(Event):
    """Gates refused a plan that promotes the release `refused`."""

    kind: Literal["refused"] = "refused"
    plan: str
    refused: str
    gates: tuple[GateAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Build(Event):
    """A release was built here. `document` is the digest of its stored text."""

    kind: Literal["build"] = "build"
    built: str
    document: str


@dataclass(frozen=True, kw_only=True)
class Collection(Event):
    """The states that these events made were given up: nothing can return to them."""

    kind: Literal["collection"] = "collection"
    collected: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Reconciliation(Event):
    """What somebody else's hand had changed was made to follow the ledger again; each change in words."""

    kind: Literal["reconcile"] = "reconcile"
    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unknown(Event):
    """An event of a kind that only a later version knows. It moves nothing, and its keys are in `more`."""


KINDS: dict[str, type[Event]] = {
    "publication": Publication,
    "duplicate": Duplicate,
    "promotion": Promotion,
    "rollback": Rollback,
    "resume": Resume,
    "creation": Creation,
    "drop": Drop,
    "approval": Approval,
    "refused": Refusal,
    "build": Build,
    "collection": Collection,
    "reconcile": Reconciliation,
}


def read_event(text: str) -> Event:
    """The event of a stored text. Raises: ValueError for a text that is no event, or one of a later format."""
    plain = json.loads(text)
    if not isinstance(plain, dict):
        raise ValueError("it is no mapping")
    kind: Any = plain.get("kind")
    event = record_of(KINDS.get(kind, Unknown) if isinstance(kind, str) else Unknown, plain)
    if event.format > FORMAT:
        raise ValueError(f"it has format {event.format}, and this version reads formats up to {FORMAT}")
    return event


def event_text(event: Event) -> str:
    """The text that is stored of an event: canonical JSON."""
    return canonical_json(plain_of(event))


def hash_of(text: str) -> str:
    """The hash of an event: the digest of its stored text.

    The rule of the chain: an event's `previous` is the hash of the event before it in its environment, and empty in
    the first. So the last hash stands for all events: hash(n) = digest(text(n)), and text(n) has hash(n - 1) in it.
    A hash is never computed from a record that was read and written again.
    """
    return digest_of_bytes(text.encode())
