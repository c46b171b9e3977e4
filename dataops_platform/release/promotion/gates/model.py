"""The gate `model_not_worse`: compares a new model with the shown one on the same rows, as a whole and by slice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import DataOpsError, Refused, did_you_mean, preview
from dataops_platform.kit.relation import columns_of
from dataops_platform.manifests.manifest import Head
from dataops_platform.release.promotion.differences.rows import visible_columns
from dataops_platform.release.promotion.differences.section import NOT_SHOWN
from dataops_platform.release.promotion.gates.question import Question, answer
from dataops_platform.release.promotion.plan import Answer
from dataops_platform.settings.environments import ModelNotWorse
from dataops_platform.stages.contract_files import contract_of
from dataops_platform.stages.feature_rows import feature_rows
from dataops_platform.stages.partitions import PartitionWindow
from dataops_platform.stages.train.scores import score_of
from dataops_platform.technologies.mlflow.registry import version_files
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.technologies.sklearn.artefact import load_model
from dataops_platform.warehouse.heads import head_of_input

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = "model_not_worse"
WHOLE = "all rows"
MOST_SLICES = 100


@dataclass(frozen=True)
class Compared:
    """The scores of both models on all rows, or on those of one slice. `worse` means by more than the tolerance."""

    model: str
    slice: str
    rows: int
    before: float
    after: float
    worse: bool

    def __str__(self) -> str:
        return f"{self.model} on {self.slice}: {self.after:.4f}, shown {self.before:.4f}"


def model_not_worse(question: Question, settings: ModelNotWorse) -> Answer:
    """Pass if no model of the release is worse than the shown one, on the rows of its judge window in the release.

    A model is loaded only when it replaces another, and after its files were verified. The rows are pulled into memory.
    """
    models = [head for head in question.heads.values() if head.kind == "model"]
    found, messages, small, problems = [], [], 0, []
    for head in models:
        shown = question.shown.get(head.name)
        if shown is None or shown.kind != "model":
            messages.append(f"no model {head.name} was shown before")
        elif shown.digest == head.digest:
            messages.append(f"{head.name} is the model shown, {short(head.digest)}")
        else:
            try:
                compared, too_small = _compare(question, settings, head, shown)
            except DataOpsError as error:
                problems.append(f"{head.name}: {error}")
                continue
            found += compared
            small += too_small
            messages.append(str(compared[0]))
    worse = [one for one in found if one.worse]
    listed = sorted(found, key=lambda one: (not one.worse, one.slice != WHOLE))[:MOST_SLICES]
    evidence = {
        "metric": settings.metric,
        "tolerance": settings.tolerance,
        "compared": [asdict(one) for one in listed],
        "worse": len(worse),
        "judged": len(found),
        "slices_too_small": small,
        "problems": problems,
    }
    if problems:
        return answer(NAME, False, preview(problems, width=300), **evidence)
    if worse:
        return answer(NAME, False, f"worse in {settings.metric}: {preview(worse, width=100)}", **evidence)
    slices = len(found) - sum(one.slice == WHOLE for one in found)
    judged = f" ({settings.metric}; {slices} slices, {small} too small to judge)" if found else ""
    return answer(NAME, True, (preview(messages, width=160) or "the release has no model") + judged, **evidence)


def _compare(question: Question, settings: ModelNotWorse, head: Head, shown: Head) -> tuple[list[Compared], int]:
    """Return the comparisons, first on all rows, then by slice, and how many slices were too small or of one class."""
    details = head.manifests[0].details
    target = details["target"]
    rows = _rows(question, settings, head, shown)
    truth = rows[target].astype(int).to_numpy()
    before, after = (_probabilities(question, one, rows) for one in (shown, head))
    found, small = [_judged(settings, head.name, WHOLE, truth, before, after)], 0
    for name, mask in _slices(question, settings, details["table"], rows):
        of_both = len(set(truth[mask])) == 2
        if mask.sum() < settings.smallest_slice or not of_both:
            small += 1
        else:
            found.append(_judged(settings, head.name, name, truth[mask], before[mask], after[mask]))
    return found, small


def _rows(question: Question, settings: ModelNotWorse, head: Head, shown: Head) -> pd.DataFrame:
    """Return the rows of the judge window whose target is known, from the release's table.

    Raises: Refused DP-G010 for a missing column, DP-G011 when the target does not have both classes.
    """
    lake, environment = question.lake, question.project.environment
    manifest = head.manifests[0]
    details = manifest.details
    table = question.heads.get(details["table"])
    if table is None:
        ref = next(ref for ref in manifest.step.inputs if ref.name == details["table"])
        table = head_of_input(lake.connection, ref)
    features = list(dict.fromkeys([*details["features"], *shown.manifests[0].details["features"]]))
    others = list(dict.fromkeys([details["target"], *settings.slices]))
    time = details["time_column"]
    relation = lake.relation(environment, table)
    columns = columns_of(lake.connection, relation)
    for name in (*features, *others, time):
        if name not in columns:
            raise Refused("DP-G010", table=table.name, column=name, hint=did_you_mean(name, columns))
    start, end = (dt.date.fromisoformat(day) for day in details["judge"])
    contract = contract_of(question.project, table.name)
    order = (contract.primary_key if contract else ()) or (time,)
    rows = feature_rows(lake, environment, table, features, others, time, PartitionWindow(start, end), order)
    rows = rows.dropna(subset=[details["target"]])
    if rows[details["target"]].nunique() != 2:
        raise Refused(
            "DP-G011",
            table=table.name,
            rows=len(rows),
            start=start,
            end=end,
            values=rows[details["target"]].nunique(),
            target=details["target"],
        )
    return rows


def _probabilities(question: Question, head: Head, rows: pd.DataFrame) -> np.ndarray:
    """Return a model's probability of the positive class for each row (n), after verifying its files."""
    project = replace(question.project, environment=head.area or question.project.environment)
    files = version_files(open_tracking(project).client, model_name(project, head.name), head.version)
    model: Any = load_model(files, head.digest)
    probabilities: np.ndarray = model.predict_proba(rows[list(head.manifests[0].details["features"])])[:, 1]
    return probabilities


def _judged(
    settings: ModelNotWorse, model: str, name: str, truth: np.ndarray, before: np.ndarray, after: np.ndarray
) -> Compared:
    old, new = (
        float(getattr(score_of("", truth, probabilities), settings.metric)) for probabilities in (before, after)
    )
    loss = old - new if settings.metric == "auc" else new - old
    return Compared(model, name, len(truth), round(old, 6), round(new, 6), loss > settings.tolerance)


def _slices(
    question: Question, settings: ModelNotWorse, table: str, rows: pd.DataFrame
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a name and a mask of the rows (n) for each value of each slicing column.

    Values of a classified column are numbered and not named.
    """
    contract = contract_of(question.project, table)
    visible = visible_columns([contract] if contract else [])
    for column in settings.slices:
        values: Sequence[Any] = sorted(rows[column].dropna().unique(), key=str)
        for number, value in enumerate(values, start=1):
            name = str(value)[:64] if column in visible else f"{NOT_SHOWN} {number}"
            yield f"{column} {name}", (rows[column] == value).to_numpy()
