"""The score step: a model and a window of a feature table become a table of predictions under contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import LostRace, Refused, UsedWrongly, did_you_mean
from dataops_platform.kit.relation import columns_of, registered
from dataops_platform.kit.sql import identifiers
from dataops_platform.manifests.manifest import WHOLE, Head, StepIdentity
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.asset import Asset
from dataops_platform.stages.audit import make_changed, refuse_broken, write_audited
from dataops_platform.stages.feature_rows import feature_rows
from dataops_platform.stages.inputs import head_of, heads_with
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.stages.step import Makes, Outcome, RunContext, identities_of
from dataops_platform.technologies.mlflow.registry import version_files
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import load_model
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import candidate_area

FORMAT = 1
"""Part of every step's identity. Raise it with each change of this file that makes other results of the same inputs."""


@dataclass(frozen=True)
class ScoreStep:
    """A step that writes predictions, one row for each row of the window.

    Columns: the contract's key, `probability`, `predicted` (probability ≥ threshold) and `model_digest`.
    """

    project: Project
    name: str
    model: str
    table: str
    contract: Contract
    time_column: str
    window: PartitionWindow
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
            "window": self.window.days,
            "threshold": self.threshold,
        }

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Score the window and replace the table.

        With a candidate, the step reads what is shown, not what was built since, and writes to the candidates' build
        area: no run of the environment may read predictions of a release before it is shown.

        Raises: Refused DP-W007 without features, DP-M005 without a model, DP-M001 when its files were changed; LostRace
        DP-M006 when a candidate is no head any more; ContractBroken when the predictions do not hold their contract.
        """
        names = [self.table, *self.contract.referenced_tables]
        heads = heads_with(lake, self.project, names, context)
        asset = Asset(self.project.environment, self.stage, self.name, self.contract)
        if self.model in context.candidates:
            asset = replace(asset, area=candidate_area(asset.area))
            shown = lake.shown_heads(self.project.environment)
            heads |= {name: shown[name] for name in names if name in shown}
        table = head_of(heads, self.table, self.name, self.project)
        references = {name: head_of(heads, name, self.name, self.project) for name in self.contract.referenced_tables}
        model = self._model(lake, heads, context)
        others = [head.ref() for name, head in references.items() if name != self.table]
        identities = identities_of(self, self.contract, {WHOLE: [table.ref(), model.ref(), *others]})
        last = lake.heads(asset.area).get(self.name)
        write = partial(self._write, lake, context, asset, table, model, references)
        return [make_changed(lake, context, asset, last, identities, write)]

    def _model(self, lake: Lake, heads: Mapping[str, Head], context: RunContext) -> Head:
        """Return the model version that this run trained, else the one that the ledger names. Aliases are never read.

        In a guarded environment only a release names another model: it scores with the one it shows, or with the
        candidate of a release that is being built.
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
            return head
        shown = lake.state(self.project.environment).cut.member(self.model)
        if shown is None or shown.kind != "model":
            raise Refused("DP-M005", environment=self.project.environment, model=self.model, table=self.name)
        return lake.shown_heads(self.project.environment)[self.model]

    @contextmanager
    def _predicted(self, lake: Lake, table: Head, model: Head) -> Iterator[str]:
        """Yield the relation of the predictions."""
        environment, keys = self.project.environment, self.contract.primary_key
        features = list(model.manifests[0].details["features"])
        relation = lake.relation(environment, table)
        columns = columns_of(lake.connection, relation)
        for name in (self.time_column, *keys, *features):
            if name not in columns:
                raise UsedWrongly(
                    "DP-T002", table=self.table, column=name, hint=did_you_mean(name, columns), step=self.name
                )
        rows = feature_rows(lake, environment, table, features, keys, self.time_column, self.window, keys)
        name = model_name(self.project, self.model, model.area or environment)
        files = version_files(open_tracking(self.project).client, name, model.version)
        classifier: Any = load_model(files, model.digest)
        predictions = rows[list(keys)].copy()
        predictions["probability"] = (
            classifier.predict_proba(rows[features])[:, 1] if len(rows) else rows.iloc[:, 0].astype(float)
        )
        predictions["predicted"] = predictions["probability"] >= self.threshold
        predictions["model_digest"] = model.digest
        with registered(lake.connection, _dp_predictions=predictions):
            yield "_dp_predictions"

    def _write(
        self,
        lake: Lake,
        context: RunContext,
        asset: Asset,
        table: Head,
        model: Head,
        references: Mapping[str, Head],
        identities: Mapping[str, StepIdentity],
    ) -> None:
        environment = self.project.environment
        relations = {name: lake.relation(environment, head) for name, head in references.items()}
        with self._predicted(lake, table, model) as predictions, lake.stage(asset.area, self.name) as staging:
            judged = judge(staging.connection, predictions, compile_contract(self.contract), references=relations)
            batches = judged.audits([WHOLE])
            refuse_broken(asset, batches, 0.0, context.place(environment))
            columns = identifiers(c.name for c in self.contract.columns)
            rows = f"select {columns} from {judged.rows.sql}"
            write_audited(staging, asset, context, identities, batches, rows)
