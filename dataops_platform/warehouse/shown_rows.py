"""The rows of a table that an environment shows, now or at a moment, as a relation of the lake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean
from dataops_platform.kit.sql import literal
from dataops_platform.manifests.cut import Cut, Member
from dataops_platform.warehouse.as_of import shown_at
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


@dataclass(frozen=True)
class Selection:
    """A table of an environment at a moment (ISO format; empty: now), whole or a sample of at most `rows` rows.

    The same content and seed give the same sample, whatever files hold the rows.
    Raises: UsedWrongly DP-Q006 for a number of rows below 1.
    """

    environment: str
    table: str
    at: str = ""
    rows: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rows is not None and self.rows < 1:
            raise UsedWrongly("DP-Q006", rows=self.rows)


def shown_member(lake: Lake, selection: Selection) -> Member:
    """Return the member of the cut that a selection reads.

    Raises: UsedWrongly DP-Q005 or DP-Q010 for a table that is not shown, DP-L065 for a text that is no moment, DP-L016
    for a moment before anything was shown; Refused DP-Q007 when garbage collection has deleted the version.
    """
    environment, table, at = selection.environment, selection.table, selection.at
    cut = lake.cut(shown_at(lake, environment, at)) if at else lake.state(environment).cut
    tables = {member.name: member for member in cut.members if member.kind == "table"}
    if table not in tables:
        hint = did_you_mean(table, tables)
        if at:
            raise UsedWrongly("DP-Q010", environment=environment, table=table, moment=at, hint=hint)
        raise UsedWrongly("DP-Q005", environment=environment, table=table, hint=hint)
    member = tables[table]
    if not lake.has_version(member.version):
        raise Refused("DP-Q007", version=member.version, table=table, environment=environment, moment=at)
    return member


def shown_rows(lake: Lake, selection: Selection) -> DuckDBPyRelation:
    """Return the selected rows without the platform's own columns, as a lazy relation.

    Read it while the lake is open. Raises: what `shown_member` raises.
    """
    member = shown_member(lake, selection)
    head = heads_of_cut(lake.connection, Cut((member,)))[member.name]
    source = lake.relation(selection.environment, head)
    sql = f"select columns(c -> not starts_with(c, '_dp_')) from {source}"
    if selection.rows is not None:
        seed = literal(str(selection.seed))
        sql = f"from ({sql}) as t order by md5(t::varchar || {seed}), t::varchar limit {selection.rows}"
    return lake.connection.sql(sql)
