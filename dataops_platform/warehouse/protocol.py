"""What the platform asks of a place that keeps tables. Versions are opaque outside an implementation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import Head, Manifest
from dataops_platform.manifests.table_digest import TableDigest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class State:
    """What an environment shows, and the ledger event that made it so. `sequence` 0: nothing was ever published."""

    environment: str
    sequence: int
    hash: str
    publication: str
    cut: Cut
    event: Mapping[str, Any]


class Staging(Protocol):
    """One write of one table: rows in, audited, then visible to downstream steps as a whole or not at all."""

    connection: DuckDBPyConnection

    def replace(self, select: str, partitions: Sequence[str]) -> dict[str, TableDigest]:
        """Writes rows in place of the partitions' (`[""]`: the whole table's); gives each partition's digest."""

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
        """SQL that reads a head's version."""

    def stage(self, environment: str, table: str) -> AbstractContextManager[Staging]:
        """A write of one table in one transaction. Raises: LostRace DP-W004 when another writer came first."""

    def record(self, manifests: Sequence[Manifest], version: str) -> None:
        """Makes something kept elsewhere (a model) the head."""

    def state(self, environment: str) -> State:
        """What an environment shows now."""

    def switch(self, environment: str, cut: Cut, expected: State, event: Mapping[str, Any]) -> State:
        """Shows a cut instead of the expected state, all at once, and writes the event in the ledger.

        Raises: LostRace DP-W004 when the environment no longer shows `expected`; nothing is changed then.
        """
