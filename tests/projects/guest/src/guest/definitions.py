"""What Dagster loads: the team's own asset, and the stages beside it."""

from pathlib import Path

import dagster as dg

from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.open import lake_of

SIGNUPS = """
    select i as member, date '2024-01-01' + i::int as joined, (i * 37) % 60 + (i % 40 = 0)::int * 200 as age,
        (i * 37) % 60 + (i * 7) % 20 > 40 as stayed
    from range(120) t(i)
"""


@dg.asset(key=["dev", "signups"])
def signups() -> None:
    """Written by the team's own code, with no word to the platform."""
    with lake_of(load_project(Path(__file__).parent)) as lake, lake.transaction():
        lake.connection.execute("create schema if not exists lake.dev__build")
        lake.connection.execute(f"create or replace table lake.dev__build.signups as {SIGNUPS}")


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions of the project."""
    loaded = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    own = dg.Definitions(assets=[signups], executor=dg.in_process_executor)
    return dg.Definitions.merge(loaded, own)
