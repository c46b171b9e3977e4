"""Gives up all but the last two publications, two days from now; dies where DATAOPS_FAULTS says.

Usage: collector.py CATALOG DATA EXTENSIONS. Prints a line when it begins, and how much it gave up.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dataops_platform.kit.actor import Actor
from dataops_platform.release.retention.garbage import collect
from dataops_platform.release.retention.policy import Retention
from dataops_platform.settings.environ import arm_faults
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.open import open_lake
from dataops_platform.warehouse.session import Session


def main(catalog: str, data: str, extensions: str) -> None:
    project = Project(Path(data), DataOpsYaml(project="shop", owner="team:shop"), "dev")
    later = datetime.now(UTC) + timedelta(days=2)
    with open_lake(LakeLocation(catalog, data, Path(extensions))) as lake:
        print("begins", flush=True)
        arm_faults()
        waste = collect(Session(project, lake, Actor("ann"), lambda: later), Retention(releases=2, days=0))
        print(len(waste.snapshots), waste.files.count, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
