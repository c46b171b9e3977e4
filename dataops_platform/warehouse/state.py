"""What the platform asks of a place that keeps tables. Versions are opaque outside an implementation."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import Head, Manifest
from dataops_platform.manifests.profile import Summary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class State:
    """What an environment shows: a release (none in one that is not released) and the publication made under it.

    `event` is the last event of the ledger, `moved` the last that moved the environment, `pointer` the sequence of the
    last that pointed it at a release. `code` is the digest of the only code that may run there; `held`: nothing is
    published until somebody resumes. `sequence` 0: nothing ever happened.
    """

    environment: str
    sequence: int = 0
    hash: str = ""
    publication: str = ""
    cut: Cut = Cut(())
    event: Mapping[str, Any] = field(default_factory=dict)
    moved: Mapping[str, Any] = field(default_factory=dict)
    release: str = ""
    code: str = ""
    held: bool = False
    pointer: int = 0


def candidate_area(environment: str) -> str:
    """The build area of what is made with a candidate: beside that of its environment, which no other run reads."""
    return f"{environment}__candidate"


class Staging(Protocol):
    """One write of one table: rows in, audited, then visible to downstream steps as a whole or not at all."""

    connection: DuckDBPyConnection

    def replace(
        self, select: str, partitions: Sequence[str], ranges: Collection[str] | None = None
    ) -> dict[str, Summary]:
        """Writes rows in place of the partitions' (`[""]`: the whole table's); gives each partition's digest.

        Columns are profiled where `ranges` is given: those whose smallest and largest value may be known.
        """

    def quarantine(self, select: str, partitions: Sequence[str]) -> None:
        """Writes refused rows in place of the partitions' earlier ones."""

    def record(self, manifests: Sequence[Manifest]) -> None:
        """Makes the write the table's head, when it commits."""


class Warehouse(Protocol):
    """A place that keeps versions of tables, heads of build areas and the ledger of environments."""

    def heads(self, environment: str) -> dict[str, Head]:
        """The last audited version of every table and model of a build area."""

    def manifest(self, manifest_id: str) -> Manifest:
        """A recorded manifest. Raises: SystemFailed DP-W006 when there is none."""

    def relation(self, environment: str, head: Head) -> str:
        """SQL that reads a head's version, in the build area that holds it."""

    def stage(self, environment: str, table: str) -> AbstractContextManager[Staging]:
        """A write of one table in one transaction. Raises: LostRace DP-W004 when another writer came first."""

    def record(self, manifests: Sequence[Manifest], version: str) -> None:
        """Makes something kept elsewhere (a model) the head."""

    def state(self, environment: str) -> State:
        """What an environment shows now."""

    def switch(
        self, environment: str, cut: Cut, expected: State, event: Mapping[str, Any], fault: str = "publish"
    ) -> State:
        """Shows a cut instead of the expected state, all at once, and writes the event in the ledger.

        Raises: LostRace DP-W004 when the environment no longer shows `expected`; nothing is changed then.
        """

    def note(self, environment: str, event: Mapping[str, Any]) -> State:
        """Writes an event that moves nothing in the ledger."""

    def events(self, environment: str) -> list[Mapping[str, Any]]:
        """The ledger of an environment, oldest first."""

    def keep(self, kind: str, name: str, body: Mapping[str, Any]) -> None:
        """Keeps a document (a release, a plan) for good under its name; one that is there already stays."""

    def kept(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The documents of a kind by name, oldest first."""
