"""The extract step: one file becomes one raw table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.digests import digest_of, digest_of_file
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE, InputRef, StepIdentity, Verdict
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.asset import Asset
from dataops_platform.stages.audit import make_changed, refuse_broken, write_audited
from dataops_platform.stages.extract.partition import check_columns, partition_key, rows_by_partition
from dataops_platform.stages.partitions import with_dropped_partitions
from dataops_platform.stages.step import Makes, Outcome, RunContext, identities_of
from dataops_platform.technologies.files.location import display_name, locate
from dataops_platform.technologies.files.read import FileRows, RefusedLine, read_file
from dataops_platform.warehouse.lake import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_RAW = "_dp_raw"

FORMAT = 1
"""Part of every step's identity. Raise it with each change of this file that makes other results of the same inputs."""


@dataclass(frozen=True)
class ExtractStep:
    """A step that reads a file into a raw table.

    The table has text columns, `_dp_file`, `_dp_line` and, if it has partitions, `_dp_partition`.
    """

    project: Project
    name: str
    path: str
    description: str = ""
    partitions: PartitionSettings | None = None
    partition_columns: tuple[str, ...] = ()
    max_refused_share: float = 0.02
    stage: str = "extract"

    @property
    def makes(self) -> tuple[Makes, ...]:
        return (
            Makes(
                self.name,
                self.description or f"Rows of {display_name(self.path)}, as they were written.",
                None,
                ("file",),
            ),
        )

    @property
    def reads(self) -> tuple[str, ...]:
        return ()

    @property
    def config(self) -> Mapping[str, Any]:
        return {
            "path": self.path,
            "partition_columns": list(self.partition_columns),
            "every": self.partitions.every if self.partitions else None,
            "max_refused_share": self.max_refused_share,
        }

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Replace the partitions' rows by those of the file. Unreadable lines go to quarantine.

        Raises: what `locate` and `read_file` raise; UsedWrongly DP-E004 for a missing column, Refused DP-E005 for a row
        without a partition; ContractBroken when more than `max_refused_share` of the lines are unreadable.
        """
        path = locate(self.path, self.project.home)
        source = InputRef(display_name(self.path), digest_of_file(path))
        last = lake.heads(self.project.environment).get(self.name)
        wanted = with_dropped_partitions(self, last, partitions)
        identities = identities_of(self, None, dict.fromkeys(wanted, (source,)))
        return [make_changed(lake, context, self._asset, last, identities, partial(self._write, lake, context, path))]

    @property
    def _asset(self) -> Asset:
        return Asset(self.project.environment, self.stage, self.name, partitions=self.partitions)

    def _write(self, lake: Lake, context: RunContext, path: Path, identities: Mapping[str, StepIdentity]) -> None:
        environment, partitions = self.project.environment, list(identities)
        rows = read_file(path, display_name(self.path))
        whole = _readable(WHOLE, rows.rows_in, len(rows.refused))
        refuse_broken(self._asset, [whole], self.max_refused_share, context.place(environment))
        with self._shown(lake.connection, rows) as counts, lake.stage(environment, self.name) as staging:
            # A line that cannot be read has no time: it belongs to the first partition and is kept by runs of that one.
            first = self.partitions.keys()[0] if self.partitions else WHOLE
            refused = rows.refused if first in partitions else ()
            unread = {first: len(refused)}
            batches = [_readable(p, counts.get(p, 0) + unread.get(p, 0), unread.get(p, 0)) for p in partitions]
            columns = [identifier(c) for c in rows.table.column_names if not c.startswith("_dp_")]
            part, where = ("", "") if self.partitions is None else (", _dp_partition", _in(partitions))
            select = f"select {', '.join(columns)}, _dp_file, _dp_line{part} from {_RAW} {where}"
            quarantined = self._quarantined(staging.connection, refused, first, context)
            write_audited(staging, self._asset, context, identities, batches, select, quarantined)

    @contextmanager
    def _shown(self, connection: DuckDBPyConnection, rows: FileRows) -> Iterator[Mapping[str, int]]:
        """Show the rows from memory as `_dp_raw`: a copy would cost as much as writing them.

        Yield the number of rows of each partition. Raises: UsedWrongly DP-E004, Refused DP-E005.
        """
        part = ""
        if self.partitions is not None:
            check_columns(self.partition_columns, rows.table.column_names, display_name(self.path))
            part = f", {partition_key(self.partition_columns, self.partitions.every)} as _dp_partition"
        connection.register("_dp_rows", rows.table)
        try:
            connection.execute(
                f"create or replace temp view {_RAW} as "
                f"select *, {literal(display_name(self.path))} as _dp_file{part} from _dp_rows"
            )
            if self.partitions is None:
                yield {WHOLE: rows.table.num_rows}
            else:
                yield rows_by_partition(connection, _RAW, display_name(self.path), self.partitions.keys())
        finally:
            connection.execute(f"drop view if exists {_RAW}")
            connection.unregister("_dp_rows")

    def _quarantined(
        self, connection: DuckDBPyConnection, lines: Sequence[RefusedLine], partition: str, context: RunContext
    ) -> str:
        """Return SQL of unreadable lines for quarantine."""
        connection.execute(
            "create or replace temp table _dp_refused_lines (_dp_line bigint, raw varchar, rule varchar)"
        )
        if lines:
            connection.executemany(
                "insert into _dp_refused_lines values ($1, $2, $3)",
                [[r.line, r.raw.encode("utf-8", "backslashreplace").decode(), f"readable: {r.reason}"] for r in lines],
            )
        connection.execute(
            "set variable dp_batch = $batch", {"batch": [partition, display_name(self.path), context.run_id]}
        )
        return (
            "select getvariable('dp_batch')[1] as _dp_partition, getvariable('dp_batch')[2] as _dp_file, _dp_line, "
            "[rule] as rules, '' as contract, getvariable('dp_batch')[3] as run_id, raw from _dp_refused_lines"
        )


def _readable(partition: str, rows_in: int, refused: int) -> BatchAudit:
    """Return the audit of raw rows, whose only rule is that their lines can be read."""
    return BatchAudit(partition, rows_in, refused, (Verdict("readable", "error", refused),))


def _in(partitions: Sequence[str]) -> str:
    """Return a condition on partition keys, which are ISO dates made by this program and need no quoting."""
    return "where _dp_partition in (" + ", ".join(f"'{p}'" for p in partitions) + ")"
