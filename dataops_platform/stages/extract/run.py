"""One file becomes one raw table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.digests import digest_of, digest_of_file
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE, InputRef, Manifest, StepIdentity, Verdict
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.audit import refuse_broken
from dataops_platform.stages.extract.partition import check_columns, partition_key, refuse_rows_without_partition
from dataops_platform.stages.partitions import unchanged_partitions, with_dropped_partitions
from dataops_platform.stages.step import Makes, Outcome, RunContext, head_outcome
from dataops_platform.technologies.files.location import display_name, locate
from dataops_platform.technologies.files.read import FileRows, read_file
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.staging import LakeStaging

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_RAW = "_dp_raw"

FORMAT = 1
"""Part of every step's identity. A change of this file that makes other results of the same inputs raises it."""


@dataclass(frozen=True)
class ExtractStep:
    """Reads a file into a raw table: text columns, with `_dp_file`, `_dp_line` and, if partitioned, `_dp_partition`."""

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
        """Replaces the partitions' rows by those of the file. Lines that are no rows go to quarantine.

        Raises: what `locate` and `read_file` raise; UsedWrongly DP-E004; Refused DP-E005 (no partition);
        ContractBroken when more than `max_refused_share` of the lines are no rows.
        """
        path = locate(self.path, self.project.home)
        identity = StepIdentity(
            code=self.code,
            config=digest_of(self.config),
            contract="",
            inputs=(InputRef(display_name(self.path), digest_of_file(path)),),
        )
        head = lake.heads(self.project.environment).get(self.name)
        partitions = with_dropped_partitions(self, head, partitions)
        same = unchanged_partitions(head, dict.fromkeys(partitions, identity.digest)) if context.skip_unchanged else []
        todo = [p for p in partitions if p not in same]
        if todo:
            rows = read_file(path, display_name(self.path))
            batch = BatchAudit(WHOLE, rows.rows_in, len(rows.refused), self._verdicts(rows))
            refuse_broken(self.name, self.max_refused_share, batch)
            self._write(lake, context, rows, identity, todo)
        return [head_outcome(lake, self.project, self.name, partitions, unchanged=not todo)]

    def _verdicts(self, rows: FileRows) -> tuple[Verdict, ...]:
        return (Verdict("readable", "error", len(rows.refused)),)

    def _write(
        self, lake: Lake, context: RunContext, rows: FileRows, identity: StepIdentity, partitions: Sequence[str]
    ) -> None:
        with self._shown(lake.connection, rows), lake.stage(self.project.environment, self.name) as staging:
            refused = self._quarantine(staging, rows, partitions, context)
            columns = [identifier(c) for c in rows.table.column_names if not c.startswith("_dp_")]
            part, where = ("", "") if self.partitions is None else (", _dp_partition", _in(partitions))
            select = f"select {', '.join(columns)}, _dp_file, _dp_line{part} from {_RAW} {where}"
            written = staging.replace(select, partitions)
            staging.record(
                [
                    Manifest(
                        environment=self.project.environment,
                        stage=self.stage,
                        name=self.name,
                        kind="table",
                        partition=partition,
                        run_id=context.run_id,
                        step=identity,
                        digest=str(digest),
                        rows_in=digest.rows + refused.get(partition, 0),
                        rows_audited=digest.rows,
                        rows_refused=refused.get(partition, 0),
                        recorded_at=context.now(),
                        verdicts=(Verdict("readable", "error", refused.get(partition, 0)),),
                        details={"every": self.config["every"]},
                    )
                    for partition, digest in written.items()
                ]
            )

    @contextmanager
    def _shown(self, connection: DuckDBPyConnection, rows: FileRows) -> Iterator[None]:
        """Shows the rows as `_dp_raw` where they are in memory: a copy would cost as much as writing them.

        Raises: UsedWrongly DP-E004, Refused DP-E005.
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
            if part:
                keys = self.partitions.keys() if self.partitions else []
                refuse_rows_without_partition(connection, _RAW, display_name(self.path), keys)
            yield
        finally:
            connection.execute(f"drop view if exists {_RAW}")
            connection.unregister("_dp_rows")

    def _quarantine(
        self, staging: LakeStaging, rows: FileRows, partitions: Sequence[str], context: RunContext
    ) -> dict[str, int]:
        """Keeps unreadable lines. They say nothing of their time, so they stay with the first partition of the file."""
        first = self.partitions.keys()[0] if self.partitions else WHOLE
        kept = rows.refused if first in partitions else ()
        staging.connection.execute(
            "create or replace temp table _dp_refused_lines (_dp_line bigint, raw varchar, rule varchar)"
        )
        if kept:
            staging.connection.executemany(
                "insert into _dp_refused_lines values ($1, $2, $3)",
                [[r.line, r.raw.encode("utf-8", "backslashreplace").decode(), f"readable: {r.reason}"] for r in kept],
            )
        staging.connection.execute(
            "set variable dp_batch = $batch", {"batch": [first, display_name(self.path), context.run_id]}
        )
        staging.quarantine(
            "select getvariable('dp_batch')[1] as _dp_partition, getvariable('dp_batch')[2] as _dp_file, _dp_line, "
            "[rule] as rules, '' as contract, getvariable('dp_batch')[3] as run_id, raw from _dp_refused_lines",
            partitions,
        )
        return {first: len(kept)}


def _in(partitions: Sequence[str]) -> str:
    """A condition on partition keys, which are ISO dates made by this program."""
    return "where _dp_partition in (" + ", ".join(f"'{p}'" for p in partitions) + ")"
