"""A contract on a model of a team's own dbt project, which dagster-dbt puts into assets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.journey

FILES = {
    "dbt_project.yml": "{name: shop, version: 1.0.0, profile: shop}",
    "profiles.yml": "{shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb}}}}",
    "models/orders.sql": "select 1 as id, 5.0 as amount union all select 2, {{ var('amount', 7.0) }}",
    "models/sales.sql": "select sum(amount) as amount from {{ ref('orders') }}",
    "orders.odcs.yaml": """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
team: {name: shop}
tags: [core]
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0}}
    quality:
      - {name: small, engine: duckdb, implementation: amount < 6, severity: warning}
""",
}
SCRIPT = """
import json, sys
from pathlib import Path

import dagster as dg
import duckdb
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets

from dataops_platform import with_contract
from dataops_platform.kit.errors import UsedWrongly

project = DbtProject(project_dir=Path.cwd(), profiles_dir=Path.cwd())
project.preparer.prepare(project)


@dbt_assets(manifest=project.manifest_path)
def models(context: dg.AssetExecutionContext, dbt: DbtCliResource):
    yield from dbt.cli(["build", "--vars", json.dumps({"amount": amount})], context=context).stream()


@dg.asset(deps=["orders"])
def report() -> None:
    pass


def orders():
    with duckdb.connect("shop.duckdb", read_only=True) as connection:
        return connection.execute("from orders").to_arrow_table()


dbt = DbtCliResource(project_dir=project)
defs = dg.Definitions(assets=[models, report], resources={"dbt": dbt})
try:
    with_contract(defs, "orders", "orders.odcs.yaml")
    refused = ""
except UsedWrongly as error:
    refused = error.code
defs = with_contract(defs, "orders", "orders.odcs.yaml", read=orders)
spec = next(spec for spec in defs.resolve_all_asset_specs() if spec.key.path == ["orders"])
for amount in json.loads(sys.argv[1]):
    result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
    print(json.dumps({
        "refused": refused,
        "kinds": sorted(spec.kinds),
        "tags": [tag for tag in spec.tags if "/" not in tag],
        "checks": {
            c.check_name: [c.passed, c.severity.value, c.description] for c in result.get_asset_check_evaluations()
        },
        "made": sorted(e.asset_key.path[-1] for e in result.all_events if e.is_step_materialization),
    }))
"""


def test_a_dbt_model_is_judged_where_dbt_wrote_it(tmp_path: Path, dagster_dbt: str) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, "[7.0, -7.0]"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": dagster_dbt, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    good, bad = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))  # not what dbt prints
    told = {"refused": "DP-C042", "kinds": ["dbt", "duckdb"], "tags": ["core"]}
    assert good == {
        **told,
        "checks": {"contract": [True, "ERROR", None], "small": [False, "WARN", "1 row"]},
        "made": ["orders", "report", "sales"],
    }
    assert bad == {
        **told,
        "checks": {
            "contract": [False, "ERROR", "orders 1.0.0 is broken: amount:minimum 1"],
            "small": [True, "WARN", None],
        },
        "made": ["orders", "sales"],
    }
