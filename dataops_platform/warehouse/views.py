"""The views of an environment, through which consumers read; each is pinned to one version of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dataops_platform.kit.relation import data_columns_of
from dataops_platform.kit.sql import identifiers
from dataops_platform.manifests.cut import Cut, Member
from dataops_platform.warehouse.staging import qualified

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def point(connection: DuckDBPyConnection, environment: str, before: Cut, after: Cut) -> None:
    """Replace the views of `before` by those of `after`. A view of an unchanged version stays as it is."""
    shown = {member.name: member for member in before.members if member.kind == "table"}
    wanted = {member.name: member for member in after.members if member.kind == "table"}
    for name, member in wanted.items():
        was = shown.get(name)
        if was is None or (was.version, was.area) != (member.version, member.area):
            _point(connection, environment, member)
    for name in shown.keys() - wanted.keys():
        connection.execute(f"drop view if exists {qualified(environment, name)}")


def _point(connection: DuckDBPyConnection, environment: str, member: Member) -> None:
    source = qualified(f"{member.area or environment}__build", member.name)
    pinned = f"{source} at (version => {int(member.version)})"
    columns = identifiers(data_columns_of(connection, pinned))
    connection.execute(
        f"create or replace view {qualified(environment, member.name)} as select {columns} from {pinned}"
    )
