"""For notebooks and scripts: what an environment shows, or showed, as a frame, and the MLflow dataset that names it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of
from dataops_platform.warehouse.shown_rows import Selection, shown_member, shown_rows

if TYPE_CHECKING:
    import polars as pl
    from mlflow.data.dataset import Dataset


def read(
    table: str, *, at: str = "", rows: int | None = None, seed: int = 0, project: str | Path = "."
) -> pl.DataFrame:
    """Return the rows (rows x columns) of a table that an environment shows, as `prod.orders`, now or at a moment.

    `at` is in ISO format, UTC by default. `rows` limits the result to a sample; equal content and seed give equal
    samples. `project` is any folder in the project. Reads only.
    Raises: UsedWrongly DP-Q005 or DP-Q010 for a table that is not shown, DP-Q009 for a name without an environment,
    DP-Q006 for a number of rows below 1, DP-L016 for a moment before anything was shown, DP-P004, DP-W001; Refused
    DP-Q007 when the version then shown is deleted.
    """
    selection = _selection(table, at, rows, seed)
    found = load_project(Path(project), selection.environment)
    with lake_of(found, read_only=True) as lake:
        return shown_rows(lake, selection).pl()


def dataset(table: str, *, at: str = "", rows: int | None = None, seed: int = 0, project: str | Path = ".") -> Dataset:
    """Return the same rows as an MLflow dataset, for `mlflow.log_input`.

    Its name holds the table's version and the sample; its digest is that of the table's content. Arguments and errors
    are those of `read`.
    """
    import warnings

    from mlflow.data import from_polars

    selection = _selection(table, at, rows, seed)
    found = load_project(Path(project), selection.environment)
    with lake_of(found, read_only=True) as lake:
        member, frame = shown_member(lake, selection), shown_rows(lake, selection).pl()
    sample = f"-{rows}-{seed}" if rows is not None else ""
    name = f"{table}@{member.version}{sample}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a path could be two of MLflow's kinds of source, which it warns of each time
        made: Dataset = from_polars(
            frame, source=str(found.home), name=name, digest=f"{short(member.digest)}{sample}"[:36]
        )
    return made


def _selection(table: str, at: str, rows: int | None, seed: int) -> Selection:
    environment, dot, name = table.partition(".")
    if not (environment and dot and name) or "." in name:
        raise UsedWrongly("DP-Q009", table=table)
    return Selection(environment, name, at, rows, seed)
