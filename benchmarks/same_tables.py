"""Proof that both sides did the same work: their lakes hold the same rows and show the same views."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bare_lake import BUILD, SHOWN, connect
from dataops_platform.kit.clock import utc_now
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of


class OtherWork(Exception):
    """The two sides did not do the same, so their times say nothing."""


def compare(bare_root: Path, platform_root: Path) -> dict[str, int]:
    """Rows of each table, after rows, contents and views of both lakes were found equal.

    The name of the model in the predictions is left out: the bare graph has no digest to write there.
    Raises: OtherWork.
    """
    connection = connect(bare_root)
    bare = Lake(connection, None, utc_now)  # type: ignore[arg-type]
    rows = {}
    with lake_of(load_project(platform_root), read_only=True) as platform, bare:
        heads = platform.heads(SHOWN)
        for name in (n for n, head in heads.items() if head.kind == "table"):
            found = [digests(lake.connection, _content(name), [""])[""] for lake in (bare, platform)]
            if found[0] != found[1]:
                raise OtherWork(f"{name}: bare {found[0]}, platform {found[1]}")
            rows[name] = found[0].rows
        views = [_views(lake) for lake in (bare, platform)]
        if views[0] != views[1]:
            raise OtherWork(f"bare shows {views[0]}, the platform {views[1]}")
        if len(_tables(bare)) != len(rows):
            raise OtherWork(f"the bare lake holds {_tables(bare)}")
    return rows


def _content(name: str) -> str:
    without = "* exclude (model_digest)" if name == "delay_predictions" else "*"
    return f"(select {without} from lake.{BUILD}.{name})"


def _views(lake: Lake) -> list[tuple[str, str]]:
    return lake.connection.execute(
        "select table_name, string_agg(column_name, ', ' order by column_name) from duckdb_columns() "
        f"where database_name = 'lake' and schema_name = '{SHOWN}' group by 1 order by 1"
    ).fetchall()


def _tables(lake: Lake) -> list[tuple[str]]:
    return lake.connection.execute(
        f"select table_name from duckdb_tables() where database_name = 'lake' and schema_name = '{BUILD}'"
    ).fetchall()
