"""Puts a contract on any existing asset: what it returns, a table of the lake, or what a function reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataops_platform.contracts.contract import Contract as Rules
from dataops_platform.contracts.engine import STAGED, BatchAudit, audits, stage_rows
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.kit.sql import identifier
from dataops_platform.kit.user_code import arrow_from, call_function, check_function, load_function
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.component import CONTRACT_CHECK, StageComponent, failure_of, freshness_of
from dataops_platform.stages.metadata import definition_metadata, table_of, verdict_metadata
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.step import Makes, Step, lake_of, with_code_of_checks

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLE_ROWS = 100
Frame = Any
"""A polars or pandas frame, or an Arrow table."""

EXAMPLE = """\
  asset: [warehouse, orders]         # the key of an asset that this or another component defines
  file: contracts/orders.odcs.yaml
  # function: my_project.orders:read # gives the rows as a polars or pandas frame; else what the asset returned is read
  # table: dev__build.orders         # or a table of the project's lake
"""


def with_contract(
    defs: dg.Definitions,
    key: dg.AssetKey | str | Sequence[str],
    file: Path | str,
    *,
    read: Callable[[], Frame] | None = None,
    references: Mapping[str, Callable[[], Frame]] | None = None,
) -> dg.Definitions:
    """`defs` with the contract in `file` on the asset `key`, whoever makes it.

    One blocking check holds every rule: what stands downstream in a run waits for it, and is not made when it fails.
    The asset shows the contract's columns, owner and freshness where it has none of its own. `read` gives the rows;
    without it the check is handed what the asset returned. `references` read the tables that its rules refer to.

    Raises: UsedWrongly for a contract that cannot be read, DP-C017 when a table referred to is not given, DP-C020 when
    `defs` has no such asset.
    """
    wanted, contract = _key(key), with_code_of_checks(load_contract(Path(file)))
    if wanted not in {spec.key for spec in defs.resolve_all_asset_specs()}:
        raise UsedWrongly("DP-C020", f"there is no asset {wanted.to_user_string()} to put {contract.path.name} on")

    def told(spec: dg.AssetSpec) -> dg.AssetSpec:
        metadata = {**definition_metadata(Makes(contract.table, contract=contract)), **spec.metadata}
        return spec.replace_attributes(
            metadata=metadata,
            owners=spec.owners or [contract.owner],
            description=spec.description or contract.description or None,
            freshness_policy=spec.freshness_policy or freshness_of(contract),
        )

    shown = defs.map_resolved_asset_specs(func=told, selection=dg.AssetSelection.assets(wanted))
    check = contract_check(wanted, contract, read=read, references=references)
    return dg.Definitions.merge(shown, dg.Definitions(asset_checks=[check]))


def contract_check(
    key: dg.AssetKey,
    contract: Rules,
    *,
    read: Callable[[], Frame] | None = None,
    references: Mapping[str, Callable[[], Frame]] | None = None,
    opened: Callable[[], Any] | None = None,
    relation: str = "",
) -> dg.AssetChecksDefinition:
    """The check of `with_contract` alone. `opened` gives a lake, of which `relation` is read where it is."""
    missing = [name for name in contract.referred if name not in (references or {}) and opened is None]
    if missing:
        raise UsedWrongly("DP-C017", f"{contract.path.name} refers to the table {missing[0]}, which is not given")

    def judged(value: Frame) -> dg.AssetCheckResult:
        try:
            with _rows(value, contract, references or {}, opened, relation) as (connection, source, others):
                stage_rows(connection, source, contract, references=others)
                (audit,) = audits(connection, contract, [WHOLE])
                return _result(contract, audit, _sample(connection, contract))
        except DataOpsError as error:
            raise failure_of(error) from None

    description = f"Every row holds {contract.path.name} ({len(contract.rules)} rules)."
    decorate = dg.asset_check(asset=key, name=CONTRACT_CHECK, description=description, blocking=True)
    if read is None and opened is None:

        @decorate
        def check_value(rows: Any) -> dg.AssetCheckResult:
            return judged(rows)

        return check_value

    @decorate
    def check_read() -> dg.AssetCheckResult:
        return judged(read() if read is not None else None)

    return check_read


@dg.scaffold_with(scaffolder(EXAMPLE))
class Contract(StageComponent):
    """A contract on an asset that is defined elsewhere: one blocking check, with a table of its rules."""

    asset: list[str] | str
    file: str
    function: str | None = None
    table: str | None = None

    def steps(self, project: Project) -> Sequence[Step]:
        """None: it makes nothing."""
        return ()

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The check. Raises: UsedWrongly DP-C020 when both a function and a table are given."""
        project = load_project(Path(context.path))
        contract = with_code_of_checks(load_contract(project.file(self.file)))
        if self.function and self.table:
            raise UsedWrongly("DP-C020", "a contract reads a function or a table, not both", where=self.file)
        if self.function:
            check_function(self.function)
        function = self.function
        read = None if not function else lambda: call_function(function, lambda: load_function(function)())
        schema, _, name = (self.table or "").rpartition(".")
        relation = f"lake.{identifier(schema or project.build_schema)}.{identifier(name)}" if self.table else ""
        opened = (lambda: lake_of(project, read_only=True)) if self.table else None
        check = contract_check(_key(self.asset), contract, read=read, opened=opened, relation=relation)
        return dg.Definitions(asset_checks=[check])


def _key(key: dg.AssetKey | str | Sequence[str]) -> dg.AssetKey:
    return key if isinstance(key, dg.AssetKey) else dg.AssetKey(key.split("/") if isinstance(key, str) else list(key))


@contextmanager
def _rows(
    value: Frame,
    contract: Rules,
    references: Mapping[str, Callable[[], Frame]],
    opened: Callable[[], Any] | None,
    relation: str,
) -> Iterator[tuple[DuckDBPyConnection, str, dict[str, str]]]:
    """A connection, the relation to judge, and those that its rules refer to: in the lake beside it, or given."""
    if opened is not None:
        with opened() as lake:
            schema = relation.rpartition(".")[0]
            yield lake.connection, relation, {name: f"{schema}.{identifier(name)}" for name in contract.referred}
        return
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("_dp_rows", _arrow(value, contract.table))
        for name in contract.referred:
            connection.register(f"_dp_other_{name}", _arrow(references[name](), name))
        rows = "(select *, row_number() over () as _dp_line from _dp_rows)"
        yield connection, rows, {name: identifier(f"_dp_other_{name}") for name in contract.referred}


def _arrow(value: Frame, name: str) -> Any:
    import pyarrow as pa

    return value if isinstance(value, pa.Table) else arrow_from(value, name)


def _sample(connection: DuckDBPyConnection, contract: Rules) -> list[dict[str, Any]]:
    names = [column.name for column in contract.columns]
    staged = [name for name, *_ in connection.execute(f"describe {STAGED}").fetchall()]
    order = "order by _dp_line" if "_dp_line" in staged else ""
    rows = connection.execute(
        f"select array_to_string(_dp_rules, ', '), {', '.join(f'{identifier(n)}::varchar' for n in names)} "
        f"from {STAGED} where _dp_rules is not null {order} limit {SAMPLE_ROWS}"
    ).fetchall()
    return [dict(zip(("rules", *names), row, strict=True)) for row in rows]


def _result(contract: Rules, audit: BatchAudit, sample: list[dict[str, Any]]) -> dg.AssetCheckResult:
    metadata = dict(verdict_metadata(Makes(contract.table, contract=contract), audit.verdicts))
    metadata |= {
        "rows_in": dg.MetadataValue.int(audit.rows_in),
        "rows_refused": dg.MetadataValue.int(audit.rows_refused),
    }
    if sample:
        metadata["refused_rows"] = table_of(sample)
    broken = [f"{v.rule} {v.failing_rows}" for v in audit.verdicts if v.failing_rows and v.severity == "error"]
    said = f"{contract.id} {contract.version} is broken: {', '.join([*audit.unmet, *broken])[:500]}"
    holds = not (audit.rows_refused or audit.unmet)
    return dg.AssetCheckResult(passed=holds, description=None if holds else said, metadata=metadata)
