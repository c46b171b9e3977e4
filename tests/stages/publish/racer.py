"""Writes its own table and publishes all tables, again and again, beside others that do the same.

Usage: racer.py CATALOG DATA EXTENSIONS OWN_TABLE ALL_TABLES ROUNDS
"""

from __future__ import annotations

import sys
from pathlib import Path

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.clock import utc_now
from dataops_platform.manifests.manifest import Manifest, StepIdentity
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.stages.publish.run import publish
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake


def main(catalog: str, data: str, extensions: str, own: str, every: str, rounds: str) -> None:
    project = Project(Path(data), DataOpsYaml(project="shop", owner="team:shop"), "dev")
    with open_lake(LakeLocation(catalog, data, Path(extensions))) as lake:
        print("ready", flush=True)
        sys.stdin.readline()
        for generation in range(1, int(rounds) + 1):
            write(lake, own, generation)
            publish(lake, project, every.split(","), {}, RunContext(f"{own}-{generation}", Actor("ann"), utc_now))


def write(lake: Lake, name: str, generation: int) -> None:
    with lake.stage("dev", name) as staging:
        digest = staging.replace(f"select {generation} as generation from range(12)", [""])[""]
        step = StepIdentity("code", str(generation), "", ())
        staging.record(
            [Manifest("dev", "clean", name, "table", "", f"{name}-{generation}", step, str(digest), 12, 12, 0, "now")]
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
