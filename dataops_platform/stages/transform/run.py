"""The transform step: dbt builds and tests marts, which are held to contracts and adopted together or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit, judge
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import LostRace, Refused, preview
from dataops_platform.kit.faults import fault_point
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest, StepIdentity
from dataops_platform.manifests.profile import profile_details
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.asset import Asset, manifest_of, outcome_of
from dataops_platform.stages.audit import ContractBroken, changed_partitions
from dataops_platform.stages.inputs import head_of, heads_with
from dataops_platform.stages.step import Makes, Outcome, RunContext, identities_of
from dataops_platform.stages.transform.dbt_run import NodeResult, run_dbt
from dataops_platform.stages.transform.graph import DbtGraph, DbtModel
from dataops_platform.stages.transform.profile import DbtPaths, write_profile
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.profile import profiles
from dataops_platform.warehouse.staging import qualified

FORMAT = 1
"""Part of every step's identity. Raise it with each change of this file that makes other results of the same inputs."""


class DbtFailed(Refused):
    """dbt's models or tests failed; every table is as it was before. `results` are all of dbt's results."""

    def __init__(self, results: Sequence[NodeResult]) -> None:
        self.results = tuple(results)
        bad = [r for r in results if not r.is_good and r.status != "skipped"]
        first = bad[0]
        failed = preview((f"{r.kind} {r.name}: {r.status}" for r in bad), width=120)
        super().__init__("DP-D004", where=first.compiled_path, failed=failed, reason=first.message[:300])


@dataclass(frozen=True)
class TransformStep:
    """A step that builds all models of one dbt project on the heads of the tables that its sources name."""

    project: Project
    folder: Path
    graph: DbtGraph
    contracts: Mapping[str, Contract]
    name: str = "dbt"
    partitions: PartitionSettings | None = None
    stage: str = "transform"

    @property
    def makes(self) -> tuple[Makes, ...]:
        return tuple(
            Makes(
                m.name,
                m.description,
                self.contracts.get(m.name),
                ("dbt", "table"),
                self._read_by(m),
                m.tests,
                self._columns_read_by(m),
                tuple(asdict(exposure) for exposure in self.graph.exposures),
            )
            for m in self.graph.models
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """dbt's sources, and the tables that the contracts' relationship rules refer to."""
        referred = (name for m in self.graph.models for name in self._referred_by(m) if name not in self._names)
        return tuple(dict.fromkeys([*self.graph.sources, *referred]))

    def _columns_read_by(self, model: DbtModel) -> dict[str, tuple[str, ...]]:
        """Return the columns that a model may read: the words of its SQL and the columns of its contract.

        A `*` takes the contract's columns; without a contract the result is empty, which stands for all columns.
        """
        contract = self.contracts.get(model.name)
        if "*" in model.words and contract is None:
            return {}
        named = {column.name for column in contract.columns} if contract else set()
        return dict.fromkeys(self._read_by(model), tuple(sorted({*model.words, *named} - {"*"})))

    def _read_by(self, model: DbtModel) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*model.reads, *self._referred_by(model)]))

    def _referred_by(self, model: DbtModel) -> tuple[str, ...]:
        contract = self.contracts.get(model.name)
        return contract.referenced_tables if contract else ()

    @property
    def config(self) -> Mapping[str, Any]:
        return {"folder": self.folder.name}

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT, self.graph.digest])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Run dbt. Adopt all its tables, or restore all of them.

        Raises: Refused DP-W007 without input, DP-D004 when a model or a test fails; ContractBroken; LostRace DP-W008
        when an input changed meanwhile.
        """
        environment, writer = self.project.environment, f"dbt {self.name}"
        with foreign_write.exclusive(lake, environment):
            if foreign_write.is_unfinished(lake, environment, writer):
                context.say("a dbt run died here before: putting the marts back first")
                foreign_write.restore(lake, environment, self._names, writer)
            heads = heads_with(lake, self.project, self.reads, context)
            inputs = {name: head_of(heads, name, self.name, self.project) for name in self.reads}
            if context.skip_unchanged and self._is_unchanged(heads):
                return [outcome_of(lake, self._asset(m), [WHOLE], unchanged=True) for m in self.graph.models]
            results, made = self._build(lake, context, inputs, writer)
        return [_outcome(m, results, made[m.name]) for m in self.graph.models]

    def _asset(self, model: DbtModel) -> Asset:
        return Asset(self.project.environment, self.stage, model.name, self.contracts.get(model.name))

    @property
    def _names(self) -> list[str]:
        return [m.name for m in self.graph.models]

    def _build(
        self, lake: Lake, context: RunContext, inputs: Mapping[str, Head], writer: str
    ) -> tuple[list[NodeResult], Mapping[str, Manifest]]:
        environment = self.project.environment
        paths = DbtPaths(self.project, self.folder)
        write_profile(self.project, paths)
        fault_point("transform.before_dbt")
        foreign_write.stand_in(lake, environment, [*self.reads, *self._names])
        foreign_write.begin(lake, environment, writer)
        try:
            results = run_dbt(paths, context.say)
            fault_point("transform.after_dbt")
            if any(not result.is_good for result in results):
                raise DbtFailed(results)
            with lake.transaction():  # reads only: everything is audited at one version, looked up once
                version = lake.current_version()
                manifests = self._audit(lake, context, inputs)
            self._refuse_moved_inputs(lake, inputs)
            foreign_write.adopt(lake, list(manifests.values()), version, writer)
        except BaseException:
            foreign_write.restore(lake, environment, self._names, writer)
            raise
        return results, manifests

    def _audit(self, lake: Lake, context: RunContext, inputs: Mapping[str, Head]) -> dict[str, Manifest]:
        made: dict[str, Manifest] = {}
        tables = {name: qualified(self.project.build_schema, name) for name in self._names}
        found = {name: digests(lake.connection, table, [WHOLE])[WHOLE] for name, table in tables.items()}
        for model in self.graph.models:
            asset, table, digest = self._asset(model), tables[model.name], found[model.name]
            batch = BatchAudit(WHOLE, digest.rows, 0, ())
            if asset.contract:
                batch = self._held_to_contract(lake, model, asset.contract, table, context)
            refs = [self._input_ref(name, inputs, made, found) for name in self._read_by(model)]
            ranges = asset.contract.visible_columns if asset.contract else ()
            details = profile_details(profiles(lake.connection, table, [WHOLE], ranges)[WHOLE])
            made[model.name] = manifest_of(asset, context, self._identity(model, refs), str(digest), batch, details)
        return made

    def _held_to_contract(
        self, lake: Lake, model: DbtModel, contract: Contract, relation: str, context: RunContext
    ) -> BatchAudit:
        tables = {name: self._referred(lake, name, model.name) for name in self._referred_by(model)}
        (batch,) = judge(lake.connection, relation, compile_contract(contract), references=tables).audits([WHOLE])
        if batch.rows_refused or batch.unmet:
            rows = [f"{v.rule} {v.failing_rows}" for v in batch.verdicts if v.failing_rows and v.severity == "error"]
            raise ContractBroken(
                "DP-C091",
                model.name,
                batch.verdicts,
                where=context.place(self.project.environment),
                refused=batch.rows_refused,
                rows=batch.rows_in,
                table=model.name,
                contract=f"{contract.id} {contract.version}",
                rules=preview(batch.unmet or rows),
                file=contract.path.name,
            )
        return batch

    def _referred(self, lake: Lake, name: str, needed_by: str) -> str:
        """Return SQL of a table that a relationship rule refers to: as this run made it, else its head."""
        if name in self._names:
            return qualified(self.project.build_schema, name)
        environment = self.project.environment
        return lake.relation(environment, head_of(lake.heads(environment), name, needed_by, self.project))

    def _input_ref(
        self, name: str, inputs: Mapping[str, Head], made: Mapping[str, Manifest], found: Mapping[str, TableDigest]
    ) -> InputRef:
        if name in found:  # no manifest where a rule refers to a model that is audited later
            by = made.get(name)
            return InputRef(name, str(found[name]), WHOLE, (by.id,) if by else (), lineage=by.lineage if by else ())
        return inputs[name].ref()

    def _identity(self, model: DbtModel, refs: Sequence[InputRef]) -> StepIdentity:
        return identities_of(self, self.contracts.get(model.name), {WHOLE: refs})[WHOLE]

    def _is_unchanged(self, heads: Mapping[str, Head]) -> bool:
        for model in self.graph.models:
            refs = [heads[n].ref() for n in self._read_by(model) if n in heads]
            if changed_partitions(heads.get(model.name), {WHOLE: self._identity(model, refs)}):
                return False
        return True

    def _refuse_moved_inputs(self, lake: Lake, inputs: Mapping[str, Head]) -> None:
        now = lake.heads(self.project.environment)
        moved = [name for name, head in inputs.items() if now[name].version != head.version]
        if moved:
            raise LostRace("DP-W008", tables=preview(moved))


def _outcome(model: DbtModel, results: Sequence[NodeResult], made: Manifest) -> Outcome:
    tests = [r for r in results if r.attached_to == model.unique_id]
    shown = {"dbt_tests": [{"test": r.name, "status": r.status, "failing_rows": r.failing_rows} for r in tests]}
    return Outcome(model.name, (made,), made.digest, shown=shown)
