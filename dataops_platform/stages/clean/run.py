"""The clean step: one raw table becomes one table under contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import Refused
from dataops_platform.kit.relation import columns_of, registered
from dataops_platform.kit.sql import identifiers, literal
from dataops_platform.kit.user_code import arrow_from, call_function, code_digest, frame_for, load_function
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, StepIdentity
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.asset import Asset
from dataops_platform.stages.audit import make_changed, refuse_broken, write_audited
from dataops_platform.stages.clean.quarantine import decisions_of, quarantined, release_rows
from dataops_platform.stages.inputs import head_of, heads_with
from dataops_platform.stages.partitions import with_dropped_partitions
from dataops_platform.stages.step import Makes, Outcome, RunContext, identities_of
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.staging import qualified, quarantine_table

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

SAMPLE_ROWS = 20
_IN = "_dp_in"
_OUT = "_dp_out"

FORMAT = 1
"""Part of every step's identity. Raise it with each change of this file that makes other results of the same inputs."""


@dataclass(frozen=True)
class _Rows:
    """Two relations: the rows as they came in, and the rows that are to be typed."""

    given: str
    made: str


@dataclass(frozen=True)
class CleanStep:
    """A step that types the rows of `input` by `contract`, after `function` (if any) has put them into its columns."""

    project: Project
    name: str
    input: str
    contract: Contract
    function: str | None = None
    null_values: tuple[str, ...] = ()
    max_refused_share: float = 0.02
    partitions: PartitionSettings | None = None
    stage: str = "clean"

    @property
    def makes(self) -> tuple[Makes, ...]:
        return (Makes(self.name, self.contract.description, self.contract, ("table",)),)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.input, *self.contract.referenced_tables)

    @property
    def config(self) -> Mapping[str, Any]:
        return {
            "input": self.input,
            "function": self.function,
            "null_values": list(self.null_values),
            "max_refused_share": self.max_refused_share,
            "released": sorted(d.row for d in decisions_of(self.project, self.name) if d.decision == "release"),
        }

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT, code_digest(self.function) if self.function else ""])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Replace the partitions by the input's rows, each audited, or in quarantine with the rules it breaks.

        Raises: Refused DP-W007, DP-W016 or DP-W017 without input, DP-S004, DP-S012 or DP-S013 when the function lost or
        made rows, DP-C003 and DP-C004 for absent and unknown columns; ContractBroken when more than `max_refused_share`
        of a partition is refused.
        """
        heads = heads_with(lake, self.project, self.reads, context)
        source = head_of(heads, self.input, self.name, self.project)
        references = {name: head_of(heads, name, self.name, self.project) for name in self.contract.referenced_tables}
        last = heads.get(self.name)
        wanted = with_dropped_partitions(self, last, partitions)
        present = [p for p in wanted if p == WHOLE or p in source.partitions]
        if not present:
            if WHOLE in source.partitions:
                raise Refused("DP-W017", step=self.name, table=self.input)
            raise Refused("DP-W016", step=self.name, table=self.input)
        others = [head.ref() for head in references.values()]
        identities = identities_of(self, self.contract, {p: [*self._rows_read(source, p), *others] for p in present})
        write = partial(self._write, lake, context, source, references)
        return [self._with_sample(lake, make_changed(lake, context, self._asset, last, identities, write))]

    @property
    def _asset(self) -> Asset:
        return Asset(self.project.environment, self.stage, self.name, self.contract, self.partitions)

    def _rows_read(self, source: Head, partition: str) -> tuple[InputRef, ...]:
        """Return what decides the verdicts of a partition: its own rows and, for a key, also those of all others."""
        across = any(
            rule.kind == "unique" or str(rule.argument).partition(".")[0] == self.name
            for rule in self.contract.rules
            if rule.kind in ("unique", "relationship")
        )
        whole = (source.ref(),) if partition and across else ()
        return (source.ref(partition), *whole)

    def _write(
        self,
        lake: Lake,
        context: RunContext,
        source: Head,
        references: Mapping[str, Head],
        identities: Mapping[str, StepIdentity],
    ) -> None:
        environment, partitions = self.project.environment, list(identities)
        relation = _with_position(lake, lake.relation(environment, source), self.input, _where(partitions))
        with _cleaned(lake.connection, relation, self.function) as rows, lake.stage(environment, self.name) as staging:
            judged = judge(
                staging.connection,
                rows.made,
                compile_contract(self.contract),
                null_values=self.null_values,
                references={name: lake.relation(environment, head) for name, head in references.items()},
                others=self._other_partitions(lake, partitions),
            )
            release_rows(judged, rows.given, decisions_of(self.project, self.name))
            batches = judged.audits(partitions)
            refuse_broken(self._asset, batches, self.max_refused_share, context.place(environment))
            judged.split()
            good = f"select {identifiers(judged.rows.columns)} from {judged.good()}"
            partition = "''" if partitions == [WHOLE] else "s._dp_partition"
            refused = quarantined(staging.connection, rows.given, partition)
            write_audited(staging, self._asset, context, identities, batches, good, refused)

    def _other_partitions(self, lake: Lake, partitions: Sequence[str]) -> str | None:
        """Return SQL of the audited rows of partitions that are not replaced now, or None.

        None when there are none, or when they lack a column of a rule.
        """
        head = lake.heads(self.project.environment).get(self.name)
        if head is None or not set(head.partitions) - {WHOLE, *partitions}:
            return None
        relation = lake.relation(self.project.environment, head)
        held = columns_of(lake.connection, relation).keys()
        if not {column for rule in self.contract.rules for column in rule.columns} <= held:
            return None  # the columns changed: the write will ask for all partitions together
        return f"(select * from {relation} where not{_where(partitions).removeprefix(' where')})"

    def _with_sample(self, lake: Lake, outcome: Outcome) -> Outcome:
        if not outcome.rows_refused:
            return outcome
        area = outcome.manifests[0].environment  # where it was cleaned; a guarded environment may have inherited it
        relation = qualified(f"{area}__build", quarantine_table(self.name))
        rows = lake.connection.execute(
            f"select _dp_file, _dp_line, array_to_string(rules, ', '), raw from {relation}"
            f"{_where([m.partition for m in outcome.manifests])} order by _dp_file, _dp_line limit {SAMPLE_ROWS}"
        ).fetchall()
        sample = [dict(zip(("file", "line", "rules", "raw"), row, strict=True)) for row in rows]
        return replace(outcome, refused_sample=tuple(sample))


@contextmanager
def _cleaned(connection: DuckDBPyConnection, relation: str, function: str | None) -> Iterator[_Rows]:
    """Yield the rows of `relation`, and what `function` makes of them.

    Without a function the rows stay where they are. A function receives them in memory; what it returns is not copied.
    """
    if function is None:
        yield _Rows(relation, relation)
        return
    given = connection.execute(f"from {relation}").to_arrow_table()
    call = call_function(function, lambda: load_function(function))
    made = call_function(function, lambda: arrow_from(call(frame_for(call, given)), function))
    with registered(connection, **{_IN: given, _OUT: made}):
        _refuse_lost_rows(connection, function, given, made)
        yield _Rows(_IN, _OUT)


def _with_position(lake: Lake, relation: str, table: str, where: str) -> str:
    """Return SQL of rows with their source position.

    The position of rows that another program wrote is their table and their row id.
    """
    has_position = "_dp_line" in columns_of(lake.connection, relation)
    position = "" if has_position else f", {literal(table)} as _dp_file, rowid as _dp_line"
    return f"(select *{position} from {relation}{where})"


def _where(partitions: Sequence[str]) -> str:
    """Return a condition on partition keys; empty for a table without partitions."""
    if list(partitions) == [WHOLE]:
        return ""
    return f" where _dp_partition in ({', '.join(literal(p) for p in partitions)})"


def _refuse_lost_rows(connection: DuckDBPyConnection, function: str, given: pa.Table, made: pa.Table) -> None:
    """Refuse a function that did not return one row for each row that it received. Raises: Refused DP-S004, DP-S013."""
    own = [name for name in given.column_names if name.startswith("_dp_")]
    lost = [name for name in own if name not in made.column_names]
    if lost:
        raise Refused("DP-S013", function=function, column=lost[0])
    if _in_order(given.select(own), made.select(own)):
        return
    key = identifiers(own)
    row = connection.execute(
        f"select (select count(*) from {_IN}), (select count(*) from {_OUT}), "
        f"(select count(*) from (select {key} from {_IN} except all select {key} from {_OUT}))"
    ).fetchone()
    if row and (row[0] != row[1] or row[2]):
        raise Refused("DP-S004", function=function, given=row[0], returned=row[1], missing=row[2])


def _in_order(given: pa.Table, made: pa.Table) -> bool:
    """Return whether two tables have the same rows in the same order, as most functions leave them; a cheap test."""
    import pyarrow as pa

    try:
        return bool(given.cast(made.schema).equals(made))
    except pa.ArrowException:
        return False
