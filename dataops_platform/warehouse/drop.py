"""Removal of an environment: without a trace, or with its ledger kept."""

from __future__ import annotations

from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Drop
from dataops_platform.warehouse import anchors, heads, ledger
from dataops_platform.warehouse.foreign_write import UNFINISHED
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State, candidate_area, refuse_moved


def forget_environment(lake: Lake, environment: str) -> None:
    """Delete an environment without a trace; a no-op where it does not exist.

    For a temporary environment whose history nobody needs; `drop_environment` keeps the ledger. Tables, views, heads
    and ledger are deleted in one transaction, the anchors after it. Data files stay until garbage collection deletes
    them.
    """
    view = ledger.head_view(environment)
    with lake.transaction():
        _drop_schemas(lake, environment)
        for table in (heads.HEADS, ledger.LEDGER, UNFINISHED):
            lake.connection.execute(f"delete from {table} where environment = {literal(environment)}")
        lake.connection.execute(f"drop view if exists lake._dataops.{identifier(view)}")
    anchors.remove(lake.anchors, environment)


def drop_environment(lake: Lake, expected: State, event: Drop) -> State:
    """Drop an environment's tables and views and record that in its ledger. It shows nothing from then on.

    The ledger stays. Versions of its tables that other environments show stay readable.
    Raises: LostRace DP-W004 when it no longer shows what was expected; nothing is changed then.
    """
    environment = expected.environment
    fault_point("drop.before_write")
    with anchors.opened(lake.anchors, environment) as anchor:
        with lake.transaction("drop"):
            now = lake.state(environment)
            refuse_moved(expected, now)
            _drop_schemas(lake, environment)
            # The event ends the environment's own heads; the area of candidates has no ledger.
            heads.retire(lake.connection, candidate_area(environment))
            lake.connection.execute(f"delete from {UNFINISHED} where environment = {literal(environment)}")
            state = lake.append(now, event, Cut(()))
        anchor(state)
    return state


def _drop_schemas(lake: Lake, environment: str) -> None:
    """Drop the schemas of an environment: what it shows, its build area and that of its candidates."""
    schemas = (environment, f"{environment}__build", f"{candidate_area(environment)}__build")
    known = lake.connection.execute(
        "select schema_name from duckdb_schemas() where database_name = 'lake' "
        f"and schema_name in ({', '.join(map(literal, schemas))})"
    ).fetchall()
    for (schema,) in known:
        lake.connection.execute(f"drop schema lake.{identifier(schema)} cascade")
