"""One raw table becomes one table under contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BROKEN, BatchAudit, Judgement, judge
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import Refused
from dataops_platform.kit.sql import identifiers, literal
from dataops_platform.kit.user_code import arrow_from, call_function, code_digest, frame_for, load_function
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest, StepIdentity
from dataops_platform.manifests.profile import profile_details
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.audit import refuse_broken
from dataops_platform.stages.clean.quarantine import decisions_of, raw_json, release_rows
from dataops_platform.stages.inputs import head_of, heads_with
from dataops_platform.stages.partitions import unchanged_partitions, with_dropped_partitions
from dataops_platform.stages.step import Makes, Outcome, RunContext, head_outcome
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.profile import profiles
from dataops_platform.warehouse.staging import LakeStaging, qualified, quarantine_table

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

SAMPLE_ROWS = 20
_IN = "_dp_in"
_OUT = "_dp_out"

FORMAT = 1
"""Part of every step's identity. A change of this file that makes other results of the same inputs raises it."""


@dataclass(frozen=True)
class _Rows:
    """Two relations: the rows as they came in, and as they are to be typed."""

    given: str
    made: str


@dataclass(frozen=True)
class CleanStep:
    """Types the rows of `input` by `contract`, after `function` (if any) has put them into its columns."""

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
        """Replaces the partitions by what the input's rows became: each audited, or in quarantine with its rules.

        Raises: Refused DP-W007, DP-W016 or DP-W017 without input, DP-S004, DP-S012 or DP-S013 when the function lost or
        made rows, DP-C003 and DP-C004 for absent and unknown columns; ContractBroken when more than `max_refused_share`
        of a partition is refused.
        """
        heads = heads_with(lake, self.project, self.reads, context)
        source = head_of(heads, self.input, self.name, self.project)
        references = {name: head_of(heads, name, self.name, self.project) for name in self.contract.referenced_tables}
        partitions = with_dropped_partitions(self, heads.get(self.name), partitions)
        present = [p for p in partitions if p == WHOLE or p in source.partitions]
        if not present:
            if WHOLE in source.partitions:
                raise Refused("DP-W017", step=self.name, table=self.input)
            raise Refused("DP-W016", step=self.name, table=self.input)
        code, config = self.code, digest_of(self.config)  # both read files, and are the same for all partitions
        identities = {p: self._identity(source, references, p, code, config) for p in present}
        digests = {p: identity.digest for p, identity in identities.items()}
        same = unchanged_partitions(heads.get(self.name), digests) if context.skip_unchanged else []
        todo = [p for p in present if p not in same]
        if todo:
            self._write(lake, context, source, references, {p: identities[p] for p in todo})
        outcome = head_outcome(lake, self.project, self.name, present, unchanged=not todo)
        return [self._with_sample(lake, outcome)]

    def _identity(
        self, source: Head, references: Mapping[str, Head], partition: str, code: str, config: str
    ) -> StepIdentity:
        return StepIdentity(
            code=code,
            config=config,
            contract=self.contract.digest,
            inputs=(*self._rows_read(source, partition), *(head.ref() for head in references.values())),
        )

    def _rows_read(self, source: Head, partition: str) -> tuple[InputRef, ...]:
        """What decides the verdicts of a partition: its own rows, and for a key also those of all the others."""
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
            for batch in batches:
                where = f"contract {self.contract.path.name} {self.contract.version}, {context.place(environment)}"
                refuse_broken(self.name, self.max_refused_share, batch, where=where)
            self._commit_rows(staging, rows.given, judged, batches, context, identities)

    def _other_partitions(self, lake: Lake, partitions: Sequence[str]) -> str | None:
        """The rows audited before in partitions that are not replaced now, if they still have the key's columns."""
        head = lake.heads(self.project.environment).get(self.name)
        if head is None or not set(head.partitions) - {WHOLE, *partitions}:
            return None
        relation = lake.relation(self.project.environment, head)
        held = {name for name, *_ in lake.connection.execute(f"describe select * from {relation}").fetchall()}
        if not {column for rule in self.contract.rules for column in rule.columns} <= held:
            return None  # the columns changed: the write will say that all partitions must be run together
        return f"(select * from {relation} where not{_where(partitions).removeprefix(' where')})"

    def _commit_rows(
        self,
        staging: LakeStaging,
        given: str,
        judged: Judgement,
        batches: Sequence[BatchAudit],
        context: RunContext,
        identities: Mapping[str, StepIdentity],
    ) -> None:
        partitions = [batch.partition for batch in batches]
        judged.split()
        good = f"select {identifiers(judged.rows.columns)} from {judged.good()}"
        written = staging.replace(good, partitions)
        profiled = profiles(staging.connection, f"({good})", partitions, self.contract.visible_columns)
        for batch in batches:
            _refuse_lost(self.name, batch, written[batch.partition].rows)
        staging.connection.execute(
            "set variable dp_batch = $batch", {"batch": [f"{self.contract.id} {self.contract.version}", context.run_id]}
        )
        staging.quarantine(_quarantined(staging.connection, given, partitions != [WHOLE]), partitions)
        staging.record(
            [
                Manifest(
                    environment=self.project.environment,
                    stage=self.stage,
                    name=self.name,
                    kind="table",
                    partition=batch.partition,
                    run_id=context.run_id,
                    step=identities[batch.partition],
                    digest=str(written[batch.partition]),
                    rows_in=batch.rows_in,
                    rows_audited=written[batch.partition].rows,
                    rows_refused=batch.rows_refused,
                    recorded_at=context.now(),
                    details=({"every": self.partitions.every} if self.partitions else {})
                    | profile_details(profiled[batch.partition]),
                    contract_version=self.contract.version,
                    verdicts=batch.verdicts,
                )
                for batch in batches
            ]
        )

    def _with_sample(self, lake: Lake, outcome: Outcome) -> Outcome:
        if not outcome.rows_refused:
            return outcome
        area = outcome.manifests[0].environment  # where it was cleaned; a guarded environment may have been given it
        relation = qualified(f"{area}__build", quarantine_table(self.name))
        rows = lake.connection.execute(
            f"select _dp_file, _dp_line, array_to_string(rules, ', '), raw from {relation}"
            f"{_where([m.partition for m in outcome.manifests])} order by _dp_file, _dp_line limit {SAMPLE_ROWS}"
        ).fetchall()
        sample = [dict(zip(("file", "line", "rules", "raw"), row, strict=True)) for row in rows]
        return replace(outcome, refused_sample=tuple(sample))


@contextmanager
def _cleaned(connection: DuckDBPyConnection, relation: str, function: str | None) -> Iterator[_Rows]:
    """The rows of `relation`, and what `function` makes of them, until the end of the block.

    Without a function rows stay where they are; a function is given them in memory, and what it gives is not copied.
    """
    if function is None:
        yield _Rows(relation, relation)
        return
    given = connection.execute(f"from {relation}").to_arrow_table()
    call = call_function(function, lambda: load_function(function))
    made = call_function(function, lambda: arrow_from(call(frame_for(call, given)), function))
    connection.register(_IN, given)
    connection.register(_OUT, made)
    try:
        _refuse_lost_rows(connection, function, given, made)
        yield _Rows(_IN, _OUT)
    finally:
        connection.unregister(_IN)
        connection.unregister(_OUT)


def _with_position(lake: Lake, relation: str, table: str, where: str) -> str:
    """Rows that say where they came from; those that another program wrote say their table and their row id."""
    columns = {name for name, *_ in lake.connection.execute(f"describe select * from {relation}").fetchall()}
    position = "" if "_dp_line" in columns else f", {literal(table)} as _dp_file, rowid as _dp_line"
    return f"(select *{position} from {relation}{where})"


def _where(partitions: Sequence[str]) -> str:
    """A condition on partition keys; nothing for a table without partitions."""
    if list(partitions) == [WHOLE]:
        return ""
    return f" where _dp_partition in ({', '.join(literal(p) for p in partitions)})"


def _refuse_lost(name: str, batch: BatchAudit, written: int) -> None:
    """Checks that in = audited + refused. Raises: Refused DP-S012."""
    if written != batch.rows_audited:
        raise Refused(
            "DP-S012",
            batch=f"{name} {batch.partition}".strip(),
            rows=batch.rows_in,
            refused=batch.rows_refused,
            written=written,
        )


def _refuse_lost_rows(connection: DuckDBPyConnection, function: str, given: pa.Table, made: pa.Table) -> None:
    """Checks that a function gave back one row for each it was given. Raises: Refused DP-S004, DP-S013."""
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
    """Whether two tables have the same rows in the same order, as most functions leave them; costs next to nothing."""
    import pyarrow as pa

    try:
        return bool(given.cast(made.schema).equals(made))
    except pa.ArrowException:
        return False


def _quarantined(connection: DuckDBPyConnection, given: str, partitioned: bool) -> str:
    """SQL of the refused rows: their values as they came in, with source position and the rules they broke."""
    described = connection.execute(f"describe select * from {given}").fetchall()
    columns = [name for name, *_ in described if not name.startswith("_dp_")]
    part = "s._dp_partition" if partitioned else "''"
    return (
        f"select {part} as _dp_partition, s._dp_file, s._dp_line, s._dp_rules as rules, "
        "getvariable('dp_batch')[1] as contract, getvariable('dp_batch')[2] as run_id, "
        f"{raw_json(columns)} as raw from {BROKEN} s join {given} i using (_dp_file, _dp_line) "
        "where s._dp_rules is not null"
    )
