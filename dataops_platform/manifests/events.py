"""The events of a ledger: one record for each kind of event.

`read_event` is their only reader and `event_text` their only writer; `hash_of` is the rule of the chain. To add a kind,
write its record and name it in `KINDS`. docs/concepts/formats.md specifies how records grow.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypedDict

from dataops_platform.kit.actor import Actor, Source
from dataops_platform.kit.digests import canonical_json, digest_of_bytes
from dataops_platform.kit.record import Record, plain_of, record_of

FORMAT = 1
"""The format of an event. A reader refuses a higher one, because it does not know what the keys mean there."""


@dataclass(frozen=True, kw_only=True)
class Event(Record):
    """An event: what happened and who did it, its place in the chain, and the state that it leaves.

    Whoever writes an event sets its actor (`by`) and the fields that its kind adds; the ledger sets the rest when it
    appends the event. `actor_source` is how the actor's name is known; None stands for the user of the process.
    `previous` is the hash of the event before it, `at` a moment in ISO format (UTC). The state is the `release`, the
    digest of the only `code` that may run, whether the environment is `held`, the id of the `publication`, and
    `pointer`, the sequence of the last event that pointed the environment at a release.
    """

    holds: ClassVar[bool | None] = None
    """Whether the environment is held afterwards; None leaves that as it was."""

    kind: str
    actor: str
    actor_source: Source | None = None
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

    @property
    def who(self) -> Actor:
        """Who acted. As text, a declared name is marked."""
        return Actor(self.actor, self.actor_source or "process")


@dataclass(frozen=True, kw_only=True)
class Move(Event):
    """An event that sets the cut that the environment shows.

    `cut` is the name under which the lake stores it; `tables` and `models` count its members.
    """

    cut: str = ""
    tables: int = 0
    models: int = 0


@dataclass(frozen=True, kw_only=True)
class Pointing(Move):
    """A move that points the environment at a release, or at none. Its writer also sets `release` and `code`.

    A plan is made against the last of these events, and is stale after the next one.
    """


@dataclass(frozen=True, kw_only=True)
class GateAnswer(Record):
    """A gate's answer: `pass`, `fail` or `waived`, and the reason in words."""

    gate: str
    verdict: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Publication(Move):
    """New data is shown under the same release. `run` is the Dagster run that published it."""

    kind: Literal["publication"] = "publication"
    run: str | None = None


@dataclass(frozen=True, kw_only=True)
class Duplicate(Event):
    """A run published the cut that the environment already shows."""

    kind: Literal["duplicate"] = "duplicate"
    run: str | None = None


@dataclass(frozen=True, kw_only=True)
class Promotion(Pointing):
    """A plan was carried out. `plan` is its id, `gates` are its gates' answers.

    `plan_document` is the digest of the plan's stored text, empty when the plan was not stored.
    """

    holds = False
    kind: Literal["promotion"] = "promotion"
    plan: str
    plan_document: str
    gates: tuple[GateAnswer, ...]


@dataclass(frozen=True, kw_only=True)
class Rollback(Pointing):
    """The environment returned to the state that event `to` made.

    `back` is what was asked for: the `release` before, the `data` before, or one state, `to`. `before` is the release
    that was shown until then.
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
    """The environment was created, from what `origin` showed after event `origin_event`, or without an origin."""

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
    """`by` approved a plan that promotes the release `approved`.

    `signature` is empty when the approval was not signed.
    """

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
    """The release `built` was built here. `document` is the digest of its stored text."""

    kind: Literal["build"] = "build"
    built: str
    document: str


@dataclass(frozen=True, kw_only=True)
class Collection(Event):
    """Garbage collection removed the states that these events made: nothing can return to them."""

    kind: Literal["collection"] = "collection"
    collected: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Reconciliation(Event):
    """Changes from outside the platform were brought back in line with the ledger. `found` has each in words."""

    kind: Literal["reconcile"] = "reconcile"
    found: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Unknown(Event):
    """An event of a kind that only a later version knows. It moves nothing, and its keys are in `more`."""


class By(TypedDict):
    """The keys of an event that name its actor."""

    actor: str
    actor_source: Source | None


def by(actor: Actor) -> By:
    """Return the keys of an event that `actor` caused: `Resume(**by(actor))`."""
    return By(actor=actor.name, actor_source=None if actor.source == "process" else actor.source)


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
    """Return the event in a stored text. Raises: ValueError for a text that is no event, or one of a later format."""
    plain = json.loads(text)
    if not isinstance(plain, dict):
        raise ValueError("it is no mapping")
    kind: Any = plain.get("kind")
    event = record_of(KINDS.get(kind, Unknown) if isinstance(kind, str) else Unknown, plain)
    if event.format > FORMAT:
        raise ValueError(f"it has format {event.format}, and this version reads formats up to {FORMAT}")
    return event


def event_text(event: Event) -> str:
    """Return the stored text of an event: canonical JSON."""
    return canonical_json(plain_of(event))


def hash_of(text: str) -> str:
    """Return the hash of an event: the digest of its stored text.

    The rule of the chain: an event's `previous` is the hash of the event before it in its environment, and empty in the
    first. Since hash(n) = digest(text(n)), and text(n) holds hash(n - 1), the last hash covers all events. A hash is
    never computed from a record that was read and written again.
    """
    return digest_of_bytes(text.encode())
