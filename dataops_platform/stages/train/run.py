"""The train step: a table of features becomes a registered model version.

It sets no alias: only a publication shows a model.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean, preview
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.user_code import call_function, code_digest, load_function
from dataops_platform.manifests.manifest import WHOLE, Head, Manifest, StepIdentity
from dataops_platform.settings.project import PartitionSettings, Project
from dataops_platform.stages.asset import Asset, manifest_of
from dataops_platform.stages.audit import make_changed
from dataops_platform.stages.feature_rows import feature_rows
from dataops_platform.stages.inputs import head_of, heads_with
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.stages.step import Makes, Outcome, RunContext, identities_of
from dataops_platform.stages.train.judge import Score, rates, score_of
from dataops_platform.stages.train.pictures import draw
from dataops_platform.technologies.mlflow.registry import register
from dataops_platform.technologies.mlflow.requirements import installed_versions, locked_requirements
from dataops_platform.technologies.mlflow.signature import refuse_other_columns, refuse_other_output, signature_of
from dataops_platform.technologies.mlflow.tracking import Tracking, model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import TRUSTED_TYPES, artefact_digest, check_trusted
from dataops_platform.warehouse.lake import Lake

if TYPE_CHECKING:
    import pandas as pd

REQUIREMENTS = ("scikit-learn", "skops", "numpy", "pandas", "scipy")

FORMAT = 1
"""Part of every step's identity. Raise it with each change of this file that makes other results of the same inputs."""


@dataclass(frozen=True)
class TrainStep:
    """A step that fits `function` on the rows of one window, judges it on another, and registers the result."""

    project: Project
    name: str
    table: str
    contract: Contract
    function: str
    target: str
    features: tuple[str, ...]
    known_by: str
    time_column: str
    train: PartitionWindow
    judge: PartitionWindow
    baselines: tuple[tuple[str, ...], ...] = ()
    description: str = ""
    partitions: PartitionSettings | None = None
    stage: str = "train"

    def __post_init__(self) -> None:
        columns = [c.name for c in self.contract.columns]
        named = [*self.features, self.target, self.time_column, *(c for by in self.baselines for c in by)]
        for name in named:
            if name not in columns:
                raise UsedWrongly(
                    "DP-T002", table=self.table, column=name, hint=did_you_mean(name, columns), step=self.name
                )
        if self.contract.column(self.target).logical_type not in ("boolean", "integer"):
            raise UsedWrongly(
                "DP-T007",
                target=self.target,
                type=self.contract.column(self.target).logical_type,
                model=self.name,
            )
        refuse_late_columns(self.contract, (*self.features, *(c for by in self.baselines for c in by)), self.known_by)

    @property
    def makes(self) -> tuple[Makes, ...]:
        text = self.description or f"{self.target} from {self.table}, known at {self.known_by}."
        by = (column for names in self.baselines for column in names)
        used = tuple(dict.fromkeys([*self.features, self.target, self.time_column, *by, *self.contract.primary_key]))
        return (Makes(self.name, text, None, ("mlflow", "scikitlearn"), columns_read={self.table: used}),)

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.table,)

    @property
    def config(self) -> Mapping[str, Any]:
        return {
            "table": self.table,
            "function": self.function,
            "target": self.target,
            "features": list(self.features),
            "known_by": self.known_by,
            "time_column": self.time_column,
            "train": self.train.days,
            "judge": self.judge.days,
            "baselines": [list(by) for by in self.baselines],
        }

    @property
    def code(self) -> str:
        return digest_of([self.stage, FORMAT, code_digest(self.function), *installed_versions(REQUIREMENTS)])

    def run(self, lake: Lake, context: RunContext, partitions: Sequence[str]) -> Sequence[Outcome]:
        """Train, judge and register a model.

        With `skip_unchanged`, the last version stays if it was made from exactly the same.

        Raises: Refused DP-W007 without features, DP-T003 when a window is empty or has one class only.
        """
        heads = heads_with(lake, self.project, self.reads, context)
        table = head_of(heads, self.table, self.name, self.project)
        identities = identities_of(self, self.contract, {WHOLE: [table.ref()]})
        write = partial(self._write, lake, context, table)
        outcome = make_changed(lake, context, self._asset, heads.get(self.name), identities, write)
        pictures = {path.stem: path.read_bytes() for path in sorted(self._pictures(outcome.digest).glob("*.png"))}
        details = outcome.manifests[0].details
        scores = [asdict(Score(**score)) for score in details["scores"]]  # in the order of columns, which JSON forgets
        return [replace(outcome, shown={**details, "scores": scores}, pictures=pictures)]

    @property
    def _asset(self) -> Asset:
        return Asset(self.project.environment, self.stage, self.name, self.contract, kind="model")

    def _write(self, lake: Lake, context: RunContext, table: Head, identities: Mapping[str, StepIdentity]) -> None:
        rows = {"train": self._rows(lake, table, self.train), "judge": self._rows(lake, table, self.judge)}
        manifest = self._train(context, identities[WHOLE], table, rows)
        lake.record([manifest], str(manifest.details["version"]))

    def _pictures(self, digest: str) -> Path:
        """Return the folder of a model's pictures for Dagster's pages; MLflow stores them permanently."""
        return self.project.state_dir / "pictures" / short(digest)

    def _rows(self, lake: Lake, table: Head, window: PartitionWindow) -> pd.DataFrame:
        """Return the rows of a window whose target is known, sorted by the contract's key.

        Raises: Refused DP-T003 when they are not of exactly two classes.
        """
        rows = feature_rows(
            lake,
            self.project.environment,
            table,
            self.features,
            list(dict.fromkeys([self.target, *(c for by in self.baselines for c in by)])),
            self.time_column,
            window,
            self.contract.primary_key or (self.time_column,),
        )
        rows = rows[rows[self.target].notna()]
        if rows[self.target].nunique() != 2:
            raise Refused(
                "DP-T003",
                table=self.table,
                rows=len(rows),
                start=window.start,
                end=window.end,
                values=rows[self.target].nunique(),
                target=self.target,
                model=self.name,
            )
        return rows

    def _train(
        self, context: RunContext, identity: StepIdentity, table: Head, rows: Mapping[str, pd.DataFrame]
    ) -> Manifest:
        train, judged = rows["train"], rows["judge"]
        features = list(self.features)
        fit = call_function(self.function, lambda: load_function(self.function))
        model = call_function(self.function, lambda: fit(train[features], train[self.target].astype(int)))
        if not hasattr(model, "predict_proba"):
            raise UsedWrongly("DP-T006", function=self.function, type=type(model).__name__)
        check_trusted(model)
        target = judged[self.target].astype(int).to_numpy()
        refuse_other_columns(model, features, self.function)
        message = call_function(self.function, lambda: model.predict_proba(judged[features]))
        refuse_other_output(message, self.function)
        probabilities = {"model": message[:, 1]}
        for by in ((), *self.baselines):
            probabilities[" x ".join(by) or "constant"] = rates(train, train[self.target].astype(int), judged, by)
        scores = [score_of(name, target, probability) for name, probability in probabilities.items()]
        context.say(f"trained on {len(train)} rows, judged on {len(judged)}: AUC {scores[0].auc:.4f}")
        with tempfile.TemporaryDirectory() as folder:
            pictures = draw(Path(folder), target, probabilities)
            details = self._register(
                open_tracking(self.project), context, table, model, rows, scores, pictures, identity
            )
            digest = details.pop("digest")
            shutil.copytree(folder, self._pictures(digest), dirs_exist_ok=True)
        return manifest_of(self._asset, context, identity, digest, BatchAudit(WHOLE, len(train), 0, ()), details)

    def _register(
        self,
        tracking: Tracking,
        context: RunContext,
        table: Head,
        model: Any,
        rows: Mapping[str, pd.DataFrame],
        scores: Sequence[Score],
        pictures: Mapping[str, Path],
        identity: StepIdentity,
    ) -> dict[str, Any]:
        import warnings

        import mlflow

        train, features = rows["train"], list(self.features)
        example = train[features].head(5)
        described = [self.contract.column(name) for name in features]
        signature = signature_of([(c.name, c.logical_type, c.required) for c in described])
        fault_point("train.before_register")
        with (
            warnings.catch_warnings(),
            mlflow.start_run(experiment_id=tracking.experiment_id, run_name=self.name) as run,
        ):
            warnings.simplefilter("ignore", UserWarning)  # a hint on whole numbers; feature_rows makes none
            mlflow.set_tags({"dataops.run": context.run_id, "dataops.step": identity.digest})
            mlflow.log_params({"function": self.function, "features": json.dumps(features), **_parameters(model)})
            mlflow.log_metrics(
                {f"{s.name.replace(' ', '_')}.{key}": getattr(s, key) for s in scores for key in ("auc", "brier")}
            )
            data = mlflow.data.from_pandas(
                train, name=f"{self.project.environment}.{self.table}", targets=self.target, digest=table.digest[-32:]
            )
            mlflow.log_input(data, context="training")
            for path in pictures.values():
                mlflow.log_artifact(str(path), "pictures")
            logged = mlflow.sklearn.log_model(
                model,
                name=self.name,
                signature=signature,
                input_example=example,
                pip_requirements=locked_requirements(REQUIREMENTS, self.project.root),
                serialization_format="skops",
                skops_trusted_types=list(TRUSTED_TYPES),
                pyfunc_predict_fn="predict_proba",
            )
        files = Path(mlflow.artifacts.download_artifacts(artifact_uri=logged.model_uri))
        digest = artefact_digest(files)
        name = model_name(self.project, self.name)
        tags = {"dataops.run": context.run_id, "dataops.step": identity.digest}
        version = register(tracking.client, name, logged.model_uri, run.info.run_id, digest, tags)
        fault_point("train.after_register")
        return {
            "digest": digest,
            "model": name,
            "version": version,
            "mlflow_run": run.info.run_id,
            "table": self.table,
            "target": self.target,
            "time_column": self.time_column,
            "judge": self.judge.days,
            "features": features,
            "scores": [asdict(score) for score in scores],
        }


def refuse_late_columns(contract: Contract, columns: Sequence[str], known_by: str) -> None:
    """Refuse columns that are not known at the moment of prediction, `known_by`.

    The contract states when each column becomes known (custom property `knownAt`). Raises: UsedWrongly DP-T001.
    """
    late = [c for c in columns if contract.column(c).known_at != known_by]
    if late:
        named = preview(f"{c} ({contract.column(c).known_at or 'not stated'})" for c in late)
        raise UsedWrongly("DP-T001", known_by=known_by, columns=named, contract=contract.path.name)


def _parameters(model: Any) -> dict[str, Any]:
    """Return the parameters of the last estimator of a pipeline, cut to the length that MLflow stores."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return {key: str(value)[:250] for key, value in sorted(last.get_params(deep=False).items())}
