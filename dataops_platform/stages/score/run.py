"""A model and a window of a feature table become a table of predictions under contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, did_you_mean
from dataops_platform.kit.sql import identifiers
from dataops_platform.manifests.manifest import WHOLE, Head, InputRef, Manifest, StepIdentity
from dataops_platform.manifests.profile import profile_details
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.audit import refuse_broken
from dataops_platform.stages.feature_rows import feature_rows
from dataops_platform.stages.inputs import head_of, heads_with
from dataops_platform.stages.partitions import Window, unchanged_partitions
from dataops_platform.stages.step import Makes, Outcome, RunContext, head_outcome
from dataops_platform.technologies.mlflow.registry import version_files
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import load_model
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.profile import profiles
from dataops_platform.warehouse.state import candidate_area

FORMAT = 1
"""Part of every step's identity. A change of this file that makes other results of the same inputs raises it."""


@dataclass(frozen=True)
class ModelChoice:
    """The model version a step scores with, its content, and the columns it was trained on."""

    area: str
    version: str
    ref: InputRef
    features: tuple[str, ...]


@dataclass(frozen=True)
class ScoreStep:
    """Writes `key` columns, `probability`, `predicted` (probability ≥ threshold) and the model's digest."""

    project: Project
    name: str
    model: str
    table: str
    contract: Contract
    time_column: str
    window: Window
    threshold: float = 0.5
    partitions: PartitionSettings | None = None
    stage: str = "score"

    def __post_init__(self) -> None:
        if not self.contract.primary_key:
            raise UsedWrongly("DP-T005", contract=self.contract.path.name, table=self.name)

    @property
    def makes(self) -> tuple[Makes, ...]:
        return (Makes(self.name, self.contract.description, self.contract, ("table", "mlflow")),)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([self.table, self.model, *self.contract.referenced_tables]))

    @property
    def config(self) -> Mapping[str, Any]:
        return {
            "model": self.model,
            "table": self.table,
            "time_column": self.time_column,
            "window": [self.window.start.isoformat(), self.window.end.isoformat()],
            "threshold": self.threshold,
        }

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Scores the window; replaces the table.

        With a candidate it reads what is shown, not what was built since, and writes to the candidate's lane: a release
        is being built, and no run of the environment may meet its predictions before that is shown.

        Raises: Refused DP-W007 without features, DP-M005 without a model, DP-M001 when its files were changed;
        ContractBroken when the predictions do not hold their contract.
        """
        names = [self.table, *self.contract.referenced_tables]
        heads = heads_with(lake, self.project, names, context)
        area = self.project.environment
        if self.model in context.candidates:
            area = candidate_area(area)
            shown = lake.shown_heads(self.project.environment)
            heads |= {name: shown[name] for name in names if name in shown}
        table = head_of(heads, self.table, self.name, self.project)
        references = {name: head_of(heads, name, self.name, self.project) for name in self.contract.referenced_tables}
        choice = self._choose(lake, heads, context)
        identity = StepIdentity(
            code=self.code,
            config=digest_of(self.config),
            contract=self.contract.digest,
            inputs=(table.ref(), choice.ref, *(head.ref() for name, head in references.items() if name != self.table)),
        )
        last = lake.heads(area).get(self.name)
        if context.skip_unchanged and unchanged_partitions(last, {WHOLE: identity.digest}):
            return [head_outcome(lake, self.project, self.name, [WHOLE], area=area, unchanged=True)]
        self._predict(lake, table, choice)
        self._write(lake, context, identity, references, area)
        return [head_outcome(lake, self.project, self.name, [WHOLE], area=area)]

    def _choose(self, lake: Lake, heads: Mapping[str, Head], context: RunContext) -> ModelChoice:
        """The version this very run trained, else the one the ledger names. Aliases are never asked.

        In a guarded environment only a release names another model: it scores what it shows, or the candidate that a
        release is being built for.
        """
        candidate = context.candidates.get(self.model)
        if candidate or (context.made_here(self.model) and not self.project.is_guarded):
            head = head_of(heads, self.model, self.name, self.project)
            if candidate and head.digest != candidate:
                raise LostRace(
                    "DP-M006",
                    model=self.model,
                    environment=self.project.environment,
                    candidate=short(candidate),
                    head=short(head.digest),
                )
            features = tuple(head.manifests[0].details["features"])
            return ModelChoice(head.area or self.project.environment, head.version, head.ref(), features)
        shown = lake.state(self.project.environment).cut.member(self.model)
        if shown is None or shown.kind != "model":
            raise Refused("DP-M005", environment=self.project.environment, model=self.model, table=self.name)
        model = lake.shown_heads(self.project.environment)[self.model]
        features = tuple(model.manifests[0].details["features"])
        return ModelChoice(model.area or self.project.environment, model.version, model.ref(), features)

    def _predict(self, lake: Lake, table: Head, choice: ModelChoice) -> None:
        keys = self.contract.primary_key
        relation = lake.relation(self.project.environment, table)
        columns = [name for name, *_ in lake.connection.execute(f"describe select * from {relation}").fetchall()]
        for name in (self.time_column, *keys, *choice.features):
            if name not in columns:
                raise UsedWrongly(
                    "DP-T002", table=self.table, column=name, hint=did_you_mean(name, columns), step=self.name
                )
        rows = feature_rows(
            lake, self.project.environment, table, choice.features, keys, self.time_column, self.window, keys
        )
        tracking = open_tracking(self.project)
        files = version_files(tracking.client, model_name(self.project, self.model, choice.area), choice.version)
        model: Any = load_model(files, choice.ref.digest)
        predictions = rows[list(keys)].copy()
        predictions["probability"] = (
            model.predict_proba(rows[list(choice.features)])[:, 1] if len(rows) else rows.iloc[:, 0].astype(float)
        )
        predictions["predicted"] = predictions["probability"] >= self.threshold
        predictions["model_digest"] = choice.ref.digest
        lake.connection.register("_dp_predictions", predictions)

    def _write(
        self, lake: Lake, context: RunContext, identity: StepIdentity, references: Mapping[str, Head], area: str
    ) -> None:
        environment = self.project.environment
        relations = {name: lake.relation(environment, head) for name, head in references.items()}
        with lake.stage(area, self.name) as staging:
            plan = compile_contract(self.contract)
            judged = judge(staging.connection, "_dp_predictions", plan, references=relations)
            (batch,) = judged.audits([WHOLE])
            place = f"contract {self.contract.path.name} {self.contract.version}, {context.place(environment)}"
            refuse_broken(self.name, 0.0, batch, where=place)
            columns = identifiers(c.name for c in self.contract.columns)
            rows = f"select {columns} from {judged.rows.sql}"
            written = staging.replace(rows, [WHOLE])[WHOLE]
            profiled = profiles(staging.connection, f"({rows})", [WHOLE], self.contract.visible_columns)[WHOLE]
            staging.record(
                [
                    Manifest(
                        environment=area,
                        stage=self.stage,
                        name=self.name,
                        kind="table",
                        partition=WHOLE,
                        run_id=context.run_id,
                        step=identity,
                        digest=str(written),
                        rows_in=batch.rows_in,
                        rows_audited=written.rows,
                        rows_refused=0,
                        recorded_at=context.now(),
                        contract_version=self.contract.version,
                        verdicts=batch.verdicts,
                        details=profile_details(profiled),
                    )
                ]
            )
        lake.connection.unregister("_dp_predictions")
