"""A contract on any existing asset: on what it returns, on a table of the lake, or on what a function reads."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import OVER_ALL_ROWS, BatchAudit, judge
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.contracts.typed_rows import with_lines
from dataops_platform.kit.errors import DataOpsError, UsedWrongly, did_you_mean, preview
from dataops_platform.kit.sql import identifier
from dataops_platform.kit.user_code import arrow_from, call_function, check_function, load_function
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.settings.project import load_project
from dataops_platform.stages.checks import check_specs, checks_alone, checks_of_value, contract_result, rule_results
from dataops_platform.stages.component import StrictResolved, failure_of, freshness_of
from dataops_platform.stages.contract.asset_value import refuse_nothing_given, rows_of_run
from dataops_platform.stages.contract_files import with_code_of_checks
from dataops_platform.stages.metadata import contract_metadata, table_of
from dataops_platform.stages.rule_checks import CONTRACT_CHECK, Single, rule_checks
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.tags import table_tags
from dataops_platform.warehouse.open import lake_of

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
  # single: [amount:minimum]         # rules with a check of their own, or all; those that only warn have one anyway
"""


def with_contract(
    defs: dg.Definitions,
    key: dg.AssetKey | str | Sequence[str],
    file: Path | str,
    *,
    read: Callable[[], Frame] | None = None,
    references: Mapping[str, Callable[[], Frame]] | None = None,
    single: Single = (),
) -> dg.Definitions:
    """Return `defs` with the contract in `file` attached to the asset `key`, wherever that is defined.

    One blocking check covers every rule: downstream assets of a run wait for it, and are skipped when it fails. Each
    rule of severity `warning` also has a check of its own, which warns and never blocks, and so has each rule of
    `single` (by name, or `all`). All checks are evaluated by one pass over the rows; each adds two events to the run.

    The asset shows the contract's columns, owner, tags and freshness where it has none of its own. `read` returns the
    rows, which are checked as a whole. Without it the check receives what the asset returned: for a partitioned asset
    the run's partition, and each partition has its own results. `references` read the tables that the rules refer to.

    Raises: UsedWrongly for a contract that cannot be read, DP-C056 when a table referred to has no reader, DP-C020 when
    `defs` has no such asset, DP-C040 for a rule in `single` that the contract lacks, DP-C041 when the asset already has
    a check of that name, DP-C042 when it returns nothing and there is no `read`.
    """
    wanted, contract = _key(key), with_code_of_checks(load_contract(Path(file)))
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    if wanted not in specs:
        known = [key.to_user_string() for key in specs]
        raise UsedWrongly(
            "DP-C020",
            asset=wanted.to_user_string(),
            contract=contract.path.name,
            hint=did_you_mean(wanted.to_user_string(), known),
        )
    if read is None:
        refuse_nothing_given(defs.resolve_assets_def(wanted), wanted)
    _refuse_taken(defs, wanted, [CONTRACT_CHECK, *(check.name for check in rule_checks(contract, single))])

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        metadata = {**contract_metadata(contract), **spec.metadata}
        return spec.replace_attributes(
            metadata=metadata,
            owners=spec.owners or [contract.owner],
            tags={**table_tags(contract), **_own_tags(spec)},
            description=spec.description or contract.description or None,
            freshness_policy=spec.freshness_policy or freshness_of(contract),
        )

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)  # mapping specs is in preview in Dagster 1.13
        shown = defs.map_resolved_asset_specs(func=described, selection=dg.AssetSelection.assets(wanted))
    partitions_def = specs[wanted].partitions_def if read is None else None
    check = contract_check(
        wanted, contract, read=read, references=references, single=single, partitions_def=partitions_def
    )
    return dg.Definitions.merge(shown, dg.Definitions(asset_checks=[check]))


def _own_tags(spec: dg.AssetSpec) -> dict[str, str]:
    return {name: value for name, value in spec.tags.items() if not name.startswith("dagster/kind/")}


def _refuse_taken(defs: dg.Definitions, key: dg.AssetKey, names: Sequence[str]) -> None:
    taken = {check.name for check in defs.resolve_asset_graph().asset_check_keys if check.asset_key == key}
    for name in names:
        if name in taken:
            raise UsedWrongly("DP-C041", asset=key.to_user_string(), check=name)


def contract_check(
    key: dg.AssetKey,
    contract: Contract,
    *,
    read: Callable[[], Frame] | None = None,
    references: Mapping[str, Callable[[], Frame]] | None = None,
    opened: Callable[[], Any] | None = None,
    relation: str = "",
    single: Single = (),
    partitions_def: dg.PartitionsDefinition[Any] | None = None,
) -> dg.AssetChecksDefinition:
    """Return the checks of `with_contract` alone. `opened` opens a lake, where `relation` is read in place.

    With `partitions_def`, that of the asset, each partition has its own results.
    Raises: UsedWrongly DP-C056 when a table referred to has no reader.
    """
    plan = compile_contract(contract)
    missing = [name for name in contract.referenced_tables if name not in (references or {}) and opened is None]
    if missing:
        raise UsedWrongly(
            "DP-C056",
            contract=contract.path.name,
            table=missing[0],
            how=f"references={{{missing[0]!r}: function}}",
        )
    checks = rule_checks(contract, single)
    references = {name: partial(_called, function) for name, function in (references or {}).items()}

    def judged(value: Frame) -> tuple[BatchAudit, list[dict[str, Any]]]:
        with _rows(value, contract, references or {}, opened, relation) as (connection, source, others):
            found = judge(connection, source, plan, references=others, samples=SAMPLE_ROWS)
            (audit,) = found.audits([WHOLE])
            sample = [row | {"rules": ", ".join(row["rules"])} for row in found.sample()[:SAMPLE_ROWS]]
            return audit, sample

    def answers(given: Callable[[], tuple[Frame, tuple[str, ...]]]) -> Iterator[dg.AssetCheckResult]:
        try:
            rows, partitions = given()
            audit, sample = judged(rows)
        except DataOpsError as error:
            raise failure_of(error) from None
        yield _result(key, contract, audit, sample, partitions)
        yield from rule_results(key, checks, {WHOLE: audit.verdicts})

    specs, name = check_specs(key, contract, checks, partitions_def), key.to_user_string()
    if read is None and opened is None:
        return checks_of_value(key, specs, lambda value, run: answers(lambda: rows_of_run(value, run, name)))
    return checks_alone(key, specs, lambda: answers(lambda: (_called(read) if read else None, ())))


def _called(function: Callable[[], Frame]) -> Frame:
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", repr(function))
    return call_function(f"{module}:{name}", function)


@dg.scaffold_with(scaffolder(EXAMPLE))
class ContractComponent(dg.Component, StrictResolved):
    """Attach a contract to an asset defined elsewhere: one blocking check with a table of its rules, and warnings."""

    asset: list[str] | str
    """The key of the asset, as a list or with slashes."""
    file: str
    """The contract's file, relative to the project."""
    function: str | None = None
    """`module:function` that returns the rows; by default the check reads what the asset returned."""
    table: str | None = None
    """A table of the lake to read instead, as `schema.table`."""
    single: bool | str | list[str] = []
    """Rules that get a check of their own, by name, or all of them; rules that only warn always have one."""

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the check. Raises: UsedWrongly DP-C081 when both a function and a table are set."""
        project = load_project(Path(context.path))
        contract = with_code_of_checks(load_contract(project.file(self.file)))
        if self.function and self.table:
            raise UsedWrongly("DP-C081", contract=self.file)
        if self.function:
            check_function(self.function)
        function = self.function
        read = None if not function else lambda: call_function(function, lambda: load_function(function)())
        schema, _, name = (self.table or "").rpartition(".")
        relation = f"lake.{identifier(schema or project.build_schema)}.{identifier(name)}" if self.table else ""
        opened = (lambda: lake_of(project, read_only=True)) if self.table else None
        check = contract_check(
            _key(self.asset), contract, read=read, opened=opened, relation=relation, single=self.single
        )
        return dg.Definitions(asset_checks=[check])


def _key(key: dg.AssetKey | str | Sequence[str]) -> dg.AssetKey:
    return key if isinstance(key, dg.AssetKey) else dg.AssetKey(key.split("/") if isinstance(key, str) else list(key))


@contextmanager
def _rows(
    value: Frame,
    contract: Contract,
    references: Mapping[str, Callable[[], Frame]],
    opened: Callable[[], Any] | None,
    relation: str,
) -> Iterator[tuple[DuckDBPyConnection, str, dict[str, str]]]:
    """Yield a connection, the relation to judge, and the relations that its rules refer to, by table."""
    if opened is not None:
        with opened() as lake:
            schema = relation.rpartition(".")[0]
            yield (
                lake.connection,
                relation,
                {name: f"{schema}.{identifier(name)}" for name in contract.referenced_tables},
            )
        return
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")  # it would spoil standard output
        connection.execute("set TimeZone = 'UTC'")
        connection.register("_dp_rows", with_lines(_arrow(value, contract.table)))
        for name in contract.referenced_tables:
            connection.register(f"_dp_other_{name}", _arrow(references[name](), name))
        yield connection, "_dp_rows", {name: identifier(f"_dp_other_{name}") for name in contract.referenced_tables}


def _arrow(value: Frame, name: str) -> Any:
    import pyarrow as pa

    return value if isinstance(value, pa.Table) else arrow_from(value, name)


def _result(
    key: dg.AssetKey, contract: Contract, audit: BatchAudit, sample: list[dict[str, Any]], partitions: tuple[str, ...]
) -> dg.AssetCheckResult:
    over_all = {rule.name for rule in contract.rules if rule.kind in OVER_ALL_ROWS}
    errors = [v for v in audit.verdicts if v.failing_rows and v.severity == "error" and v.rule not in over_all]
    broken = [f"{v.rule} {v.failing_rows}" for v in errors]
    message = f"{contract.id} {contract.version} is broken: {', '.join([*audit.unmet, *broken])[:500]}"
    holds = not (audit.rows_refused or audit.unmet)
    shown: dict[str, Any] = {"rows_in": audit.rows_in, "rows_refused": audit.rows_refused}
    if partitions:
        shown["partitions"] = preview(partitions)
    if sample:
        shown["refused_rows"] = table_of(sample)
    return contract_result(key, contract, audit.verdicts, shown, "" if holds else message)
