"""The extract step: one file becomes one raw table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.digests import digest_of, digest_of_file
from dataops_platform.kit.relation import registered
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
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

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
        environment, partitions, file = self.project.environment, list(identities), display_name(self.path)
        rows = read_file(path, file)
        whole = _readable(WHOLE, rows.rows_in, len(rows.refused))
        refuse_broken(self._asset, [whole], self.max_refused_share, context.place(environment))
        # A line that cannot be read has no time: it belongs to the first partition and is kept by runs of that one.
        first = self.partitions.keys()[0] if self.partitions else WHOLE
        unread = rows.refused if first in partitions else ()
        # Rows are read from memory: a copy in the database would cost as much as writing them.
        with registered(lake.connection, _dp_rows=rows.table, _dp_unread=_table_of(unread)):
            relation, counts = self._counted(lake.connection, rows)
            refusals = {p: len(unread) if p == first else 0 for p in partitions}
            batches = [_readable(p, counts.get(p, 0) + number, number) for p, number in refusals.items()]
            columns = [identifier(name) for name in rows.table.column_names if not name.startswith("_dp_")]
            part, where = ("", "") if self.partitions is None else (", _dp_partition", _in(partitions))
            read = f"select {', '.join(columns)}, _dp_file, _dp_line{part} from {relation} {where}"
            refused = f"select {literal(first)} as _dp_partition, {literal(file)} as _dp_file, * from _dp_unread"
            with lake.stage(environment, self.name) as staging:
                write_audited(staging, self._asset, context, identities, batches, read, refused)

    def _counted(self, connection: DuckDBPyConnection, rows: FileRows) -> tuple[str, Mapping[str, int]]:
        """Return SQL of the rows with their file and partition, and the number of rows of each partition.

        Raises: UsedWrongly DP-E004, Refused DP-E005.
        """
        file = display_name(self.path)
        if self.partitions is None:
            return f"(select *, {literal(file)} as _dp_file from _dp_rows)", {WHOLE: rows.table.num_rows}
        check_columns(self.partition_columns, rows.table.column_names, file)
        key = partition_key(self.partition_columns, self.partitions.every)
        relation = f"(select *, {literal(file)} as _dp_file, {key} as _dp_partition from _dp_rows)"
        return relation, rows_by_partition(connection, relation, file, self.partitions.keys())


def _table_of(lines: Sequence[RefusedLine]) -> pa.Table:
    """Return unreadable lines as a table of `_dp_line`, `rules` and `raw`."""
    import pyarrow as pa

    columns = {
        "_dp_line": pa.array([line.line for line in lines], pa.int64()),
        "rules": pa.array([[f"readable: {line.reason}"] for line in lines], pa.list_(pa.string())),
        "raw": pa.array([line.raw.encode("utf-8", "backslashreplace").decode() for line in lines], pa.string()),
    }
    return pa.table(columns)


def _readable(partition: str, rows_in: int, refused: int) -> BatchAudit:
    """Return the audit of raw rows, whose only rule is that their lines can be read."""
    return BatchAudit(partition, rows_in, refused, (Verdict("readable", "error", refused),))


def _in(partitions: Sequence[str]) -> str:
    """Return a condition on partition keys, which are ISO dates made by this program and need no quoting."""
    return "where _dp_partition in (" + ", ".join(f"'{p}'" for p in partitions) + ")"
