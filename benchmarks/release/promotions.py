"""Promotions of one table of a given size: an approved plan is carried out, and its seconds are taken."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.manifest import WHOLE, Manifest, StepIdentity
from dataops_platform.release.build import freeze
from dataops_platform.release.promotion.approvals import approve
from dataops_platform.release.promotion.promote import promote, propose
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.contract_files import contract_of
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import open_session

DATAOPS = """\
project: shop
owner: team:shop
environments:
  dev: {}
  prod: {from: dev, gates: [contracts, checks, freshness, {approval: {by: [%s]}}]}
"""
CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
team: {name: shop}
schema: [{name: orders, properties: [
  {name: order, logicalType: integer, primaryKey: true},
  {name: customer, logicalType: integer, required: true},
  {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0}},
]}]
"""


def promotion_seconds(folder: Path, sizes: Sequence[int], rounds: int) -> dict[int, list[float]]:
    """Seconds of `rounds` promotions for each number of rows, in turns, so that all see the same machine."""
    projects = {rows: _project(folder / str(rows)) for rows in sizes}
    seconds: dict[int, list[float]] = {rows: [] for rows in sizes}
    for number in range(rounds):
        for rows, project in projects.items():
            with open_session(project) as session:
                _write(session.lake, project.at("dev"), rows, number)
                release = freeze(session.at("dev"), cut_of(session.lake.heads("dev").values()))
                plan = propose(session, release)
                approve(session, plan)
                began = time.perf_counter()
                promote(session, plan)
                seconds[rows].append(time.perf_counter() - began)
            print(f"round {number + 1} of {rounds}: {rows} rows {seconds[rows][-1]:.3f} s", file=sys.stderr)
    return seconds


def _project(folder: Path) -> Project:
    from dataops_platform.settings.environ import process_actor

    (folder / "contracts").mkdir(parents=True)
    (folder / "dataops.yaml").write_text(DATAOPS % process_actor().name)
    (folder / "contracts" / "orders.odcs.yaml").write_text(CONTRACT)
    (folder / ".gitignore").write_text(".dataops/\n")
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for command in (["init", "--quiet"], ["add", "--all"], [*who, "commit", "--quiet", "-m", "A shop"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return load_project(folder, "prod")


def _write(lake: Lake, project: Project, rows: int, generation: int) -> None:
    contract = contract_of(project, "orders")
    assert contract is not None
    with lake.stage("dev", "orders") as staging:
        select = f'select i as "order", i % 9973 as customer, (i % 97) + {generation} as amount from range({rows}) t(i)'
        written = staging.replace(select, [WHOLE])[WHOLE]
        step = StepIdentity("code", str(generation), contract.digest, ())
        staging.record(
            [
                Manifest(
                    environment="dev",
                    stage="clean",
                    name="orders",
                    kind="table",
                    partition=WHOLE,
                    run_id=f"generation-{generation}",
                    step=step,
                    digest=str(written),
                    rows_in=rows,
                    rows_audited=rows,
                    rows_refused=0,
                    recorded_at="2013-01-01T00:00:00+00:00",
                    contract_version=contract.version,
                )
            ]
        )
