"""The asset graph of a dbt project is the one dagster-dbt draws; dagster-dbt itself is not among the dependencies."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dataops_platform.stages.transform.graph import graph_of
from tests.fixtures.flights import Year

pytestmark = pytest.mark.journey

SCRIPT = """
import json, sys
from pathlib import Path
from dagster_dbt import build_dbt_asset_specs
specs = build_dbt_asset_specs(manifest=json.loads(Path(sys.argv[1]).read_text()))
print(json.dumps({s.key.path[-1]: sorted(d.asset_key.path[-1] for d in s.deps) for s in specs}))
"""


def test_the_graph_is_the_one_dagster_dbt_draws(year: Year, dagster_dbt: str) -> None:
    manifest = year.project / ".dataops" / "dbt" / "dev" / "target" / "manifest.json"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(manifest)],
        env={**os.environ, "PYTHONPATH": dagster_dbt},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = {m.name: sorted(m.reads) for m in graph_of(json.loads(manifest.read_text()), "").models}
    assert ours == json.loads(done.stdout.splitlines()[-1])
    assert ours["flight_features"] == ["flights", "weather"]
