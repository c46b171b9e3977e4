"""For notebooks and scripts: what an environment shows, or showed, as a frame; and the MLflow dataset that names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import short
from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.cut import Cut, Member
from dataops_platform.settings.project import Project, load_project
from dataops_platform.warehouse.as_of import shown_at
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of

if TYPE_CHECKING:
    import polars as pl
    from mlflow.data.dataset import Dataset


@dataclass(frozen=True)
class _Asked:
    """A table of an environment, at a moment (now when empty), whole or a sample."""

    environment: str
    table: str
    at: str
    rows: int | None
    seed: int


def read(
    table: str, *, at: str = "", rows: int | None = None, seed: int = 0, project: str | Path = "."
) -> pl.DataFrame:
    """The rows (rows x columns) that an environment shows of a table, as `prod.orders`; with `at`, those of a moment.

    `at` is ISO format, UTC unless it says otherwise. `rows`: a sample of at most so many, the same for the same content
    and seed, whatever files it lies in. `project` is a folder in the project. Changes nothing.
    Raises: UsedWrongly DP-Q005 for a table that is not shown, DP-Q006 for a number of rows below 1, DP-L016 for a
    moment before anything was shown, DP-P004, DP-W001; Refused DP-Q007 when the version then shown was collected since.
    """
    asked = _asked(table, at, rows, seed)
    found = load_project(Path(project), asked.environment)
    with lake_of(found, read_only=True) as lake:
        return _rows(lake, asked, _member(found, lake, asked))


def dataset(table: str, *, at: str = "", rows: int | None = None, seed: int = 0, project: str | Path = ".") -> Dataset:
    """The same rows as an MLflow dataset, for `mlflow.log_input`.

    Its name has the table's version and the sample, its digest is that of the table's content.
    Arguments and errors are those of `read`.
    """
    import warnings

    from mlflow.data import from_polars

    asked = _asked(table, at, rows, seed)
    found = load_project(Path(project), asked.environment)
    with lake_of(found, read_only=True) as lake:
        member = _member(found, lake, asked)
        frame = _rows(lake, asked, member)
    sample = f"-{rows}-{seed}" if rows is not None else ""
    name = f"{table}@{member.version}{sample}"
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # two of MLflow's own kinds of source could be a folder, and it says so each time
        made: Dataset = from_polars(
            frame, source=str(found.home), name=name, digest=f"{short(member.digest)}{sample}"[:36]
        )
    return made


def _asked(table: str, at: str, rows: int | None, seed: int) -> _Asked:
    environment, dot, name = table.partition(".")
    if not (environment and dot and name) or "." in name:
        raise UsedWrongly("DP-Q005", f"{table!r} names no table", fix="write ENVIRONMENT.TABLE, as prod.orders")
    if rows is not None and rows < 1:
        raise UsedWrongly("DP-Q006", f"a sample of {rows} rows", fix="ask for at least one, or leave rows out")
    return _Asked(environment, name, at, rows, seed)


def _member(project: Project, lake: Lake, asked: _Asked) -> Member:
    if asked.at:
        cut = Cut.from_plain(shown_at(lake, asked.environment, asked.at)["cut"])
    else:
        cut = lake.state(asked.environment).cut
    tables = {member.name: member for member in cut.members if member.kind == "table"}
    if asked.table not in tables:
        when = f"showed no table {asked.table!r} at {asked.at}" if asked.at else f"shows no table {asked.table!r}"
        raise UsedWrongly("DP-Q005", f"{asked.environment} {when}; {did_you_mean(asked.table, tables)}")
    member = tables[asked.table]
    if not lake.has_version(member.version):
        raise Refused(
            "DP-Q007",
            f"version {member.version} of {asked.table} was collected since",
            where=f"{asked.environment} at {asked.at}",
            fix="make it again from its release: dataops reproduce RELEASE",
        )
    return member


def _rows(lake: Lake, asked: _Asked, member: Member) -> pl.DataFrame:
    head = heads_of_cut(lake.connection, Cut((member,)))[member.name]
    source = lake.relation(asked.environment, head)
    sql = f"select columns(c -> not starts_with(c, '_dp_')) from {source}"
    if asked.rows is not None:
        sql = f"from ({sql}) as t order by md5(t::varchar || {literal(str(asked.seed))}), t::varchar limit {asked.rows}"
    found: pl.DataFrame = lake.connection.sql(sql).pl()
    return found
