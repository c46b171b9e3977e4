"""Races others over an environment, again and again: reads one order a line, and says what became of it.

Usage: worker.py CATALOG DATA EXTENSIONS ANCHORS CODE NAME. Orders and answers are JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import DataOpsError, LostRace
from dataops_platform.manifests.manifest import WHOLE, Manifest, StepIdentity
from dataops_platform.release.promotion.promote import find_plan, promote
from dataops_platform.settings.project import Project, load_project
from dataops_platform.stages.publish.run import publish
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake
from dataops_platform.warehouse.session import Session

MADE = "2013-01-01T00:00:00+00:00"
MOVED_ON = ("DP-W004", "DP-W012", "DP-W018")


def main(catalog: str, data: str, extensions: str, anchors: str, code: str, name: str) -> None:
    import pandas  # noqa: F401 - DuckDB would, when it is first given a value

    project = load_project(Path(code), "prod")
    with open_lake(LakeLocation(catalog, data, Path(extensions), Path(anchors))) as lake:
        answer({"ready": name})
        for line in sys.stdin:
            order = json.loads(line)
            time.sleep(max(0.0, order["at"] - time.time()))
            try:
                answer({"exit_code": 0, **carry_out(lake, project, name, order)})
            except DataOpsError as error:
                answer({"exit_code": error.exit_code, "code": error.code, "said": str(error)})


def carry_out(lake: Lake, project: Project, name: str, order: dict[str, Any]) -> dict[str, Any]:
    if order["do"] == "promote":
        session = Session(project, lake, Actor(name))
        return {"sequence": promote(session, find_plan(lake, order["plan"])).sequence}
    write(lake, order["environment"], order["table"], order["number"])
    here = replace(project, environment=order["environment"])
    state, moved = publish(lake, here, order["tables"], {}, RunContext(name, Actor(name), utc_now))
    return {"sequence": state.sequence, "moved": moved}


def write(lake: Lake, environment: str, table: str, number: int) -> None:
    """Writes a table whole; again, when somebody else wrote it or moved the environment meanwhile."""
    for _ in range(100):
        try:
            with lake.stage(environment, table) as staging:
                digest = staging.replace(f"select {number} as number from range(12)", [WHOLE])[WHOLE]
                step = StepIdentity("code", "config", "", ())
                staging.record(
                    [Manifest(environment, "clean", table, "table", WHOLE, "run", step, str(digest), 12, 12, 0, MADE)]
                )
                return
        except LostRace as error:
            if error.code not in MOVED_ON:
                raise
    raise AssertionError(f"{table} was never written")


def answer(said: dict[str, Any]) -> None:
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
