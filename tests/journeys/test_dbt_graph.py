"""The asset graph of a dbt project is the one dagster-dbt draws; dagster-dbt itself is not among the dependencies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dataops_platform.settings.project import load_project
from dataops_platform.stages.transform.graph import read_graph
from dataops_platform.stages.transform.profile import DbtPaths

pytestmark = pytest.mark.journey

SCRIPT = """
import json, sys
from pathlib import Path
from dagster_dbt import build_dbt_asset_specs
specs = build_dbt_asset_specs(manifest=json.loads(Path(sys.argv[1]).read_text()))
print(json.dumps({s.key.path[-1]: sorted(d.asset_key.path[-1] for d in s.deps) for s in specs}))
"""
MORE_MODELS = {
    "late_days": "{{ config(materialized='ephemeral') }} select * from {{ ref('daily_performance') }} where late > 0",
    "late_routes": "select * from {{ ref('route_punctuality') }} cross join {{ ref('late_days') }}",
}


def test_the_graph_is_the_one_dagster_dbt_draws(flights: Path, tmp_path: Path, dagster_dbt: str) -> None:
    """Of the example, with a mart more that reads two others: one of them through a model that is no table."""
    ignored = shutil.ignore_patterns(".dataops")
    project = load_project(Path(shutil.copytree(flights, tmp_path / "flights", ignore=ignored)))
    for name, select in MORE_MODELS.items():
        (project.root / "dbt" / "models" / f"{name}.sql").write_text(select)
    paths = DbtPaths(project, project.root / "dbt")
    ours = {m.name: sorted(m.reads) for m in read_graph(project, paths.folder).models}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(paths.manifest)],
        env={**os.environ, "PYTHONPATH": dagster_dbt},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ours == json.loads(done.stdout.splitlines()[-1])
    assert ours["flight_features"] == ["flights", "weather"]
    assert ours["late_routes"] == ["daily_performance", "route_punctuality"]
