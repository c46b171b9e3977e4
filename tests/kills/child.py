"""Writes generations of three related tables and publishes each; dies in the last where DATAOPS_FAULTS says.

Usage: child.py CATALOG DATA EXTENSIONS FIRST LAST. Prints a line when it begins, and each generation's publication.

`orders` is written whole, `lines` by partition, both by our own staging. `totals` is written by a foreign writer, as
dbt does it: first wrongly and put back, then rightly and adopted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.clock import utc_now
from dataops_platform.manifests.manifest import WHOLE, Head, Manifest, StepIdentity
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.settings.environ import arm_faults
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.stages.publish.run import publish
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake

TABLES = ("orders", "lines", "totals")
TOTALS = "lake.dev__build.totals"
WRITER = "dbt"
LONG_AGO = "2013-01-01T00:00:00+00:00"


def main(catalog: str, data: str, extensions: str, first: str, last: str) -> None:
    import pandas  # noqa: F401 - DuckDB would, when it is first given a value: now every generation takes as long

    project = Project(Path(data), DataOpsYaml(project="shop", owner="team:shop"), "dev")
    with open_lake(LakeLocation(catalog, data, Path(extensions))) as lake:
        print("begins", flush=True)
        for generation in range(int(first), int(last) + 1):
            if generation == int(last):
                arm_faults()
            print(run(lake, project, generation), flush=True)


def run(lake: Lake, project: Project, generation: int) -> str:
    """What a run of a small project does to the lake; gives the publication it ends with."""
    if foreign_write.is_unfinished(lake, "dev", WRITER):
        foreign_write.restore(lake, "dev", ["totals"], WRITER)
    orders = write(lake, "orders", f"select {generation} as generation, i as id from range(30) t(i)", [WHOLE], ())
    parts = " union all ".join(
        f"select {generation} as generation, i as id, '{part}' as _dp_partition from range({rows}) t(i)"
        for part, rows in (("a", 5), ("b", 40))
    )
    lines = write(lake, "lines", parts, ["a", "b"], [orders])
    with foreign_write.exclusive(lake, "dev"):
        foreign_write.begin(lake, "dev", WRITER)
        lake.connection.execute(f"create or replace table {TOTALS} as select 'wrong' as generation")
        foreign_write.restore(lake, "dev", ["totals"], WRITER)
        foreign_write.begin(lake, "dev", WRITER)
        lake.connection.execute(f"create or replace table {TOTALS} as select {generation} as generation, 75 as n")
        version = lake.current_version()
        found = digests(lake.connection, TOTALS, [WHOLE])
        foreign_write.adopt(lake, manifests("totals", found, [orders, lines]), version, WRITER)
    state, _ = publish(lake, project, TABLES, {}, RunContext(f"generation {generation}", Actor("ann"), utc_now))
    return state.publication


def write(lake: Lake, name: str, select: str, partitions: Sequence[str], inputs: Sequence[Head]) -> Head:
    with lake.stage("dev", name) as staging:
        written = staging.replace(select, partitions)
        staging.record(manifests(name, written, inputs))
    return lake.heads("dev")[name]


def manifests(name: str, found: dict[str, TableDigest], inputs: Sequence[Head]) -> list[Manifest]:
    step = StepIdentity("code", "config", "", tuple(head.ref() for head in inputs))
    return [
        Manifest("dev", "clean", name, "table", part, "run", step, str(digest), digest.rows, digest.rows, 0, LONG_AGO)
        for part, digest in found.items()
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
