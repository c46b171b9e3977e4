"""The write of one table, inside an open transaction of the lake."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, preview
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.relation import columns_of
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE, Manifest
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.warehouse.digest import digests

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

QUARANTINE_COLUMNS = (
    "_dp_partition varchar, _dp_file varchar, _dp_line bigint, rules varchar[], contract varchar, run_id varchar, "
    "raw varchar"
)

_NOT_KEPT = re.compile(r"\b(U?HUGEINT|BIGNUM|BIT|ENUM|UNION|TIME WITH TIME ZONE|TIME_NS)\b|\[\d+\]")
"""Types that the lake's Parquet files round (HUGEINT becomes DOUBLE), shift (a time with a zone) or lack."""


def qualified(schema: str, table: str) -> str:
    """Return a table of the lake as quoted SQL."""
    return f"lake.{identifier(schema)}.{identifier(table)}"


def quarantine_table(table: str) -> str:
    """Return the name of the table of rows that were refused on their way into `table`."""
    return f"{table}__quarantine"


def refuse_types_not_kept(table: str, columns: Sequence[tuple[str, str]]) -> None:
    """Refuse columns, as (name, type), whose values the lake would change silently. Raises: Refused DP-W011."""
    changed = [f"{name} ({kind})" for name, kind in columns if _NOT_KEPT.search(kind)]
    if changed:
        raise Refused("DP-W011", columns=preview(changed), table=table)


def drop_relation(connection: DuckDBPyConnection, schema: str, name: str) -> None:
    """Drop a table or a view if it exists."""
    for kind in ("table", "view"):
        found = connection.execute(
            f"select 1 from duckdb_{kind}s() where database_name = 'lake' and schema_name = {literal(schema)} "
            f"and {kind}_name = {literal(name)}"
        ).fetchone()
        if found:
            connection.execute(f"drop {kind} {qualified(schema, name)}")


def put_table(connection: DuckDBPyConnection, schema: str, name: str, select: str) -> None:
    """Replace a table by the rows of a query, which may read earlier versions of that table.

    The rows are written to a table beside it; the rename is the switch.
    """
    beside = f"{name}__beside"
    connection.execute(f"create table {qualified(schema, beside)} as {select}")
    drop_relation(connection, schema, name)
    connection.execute(f"alter table {qualified(schema, beside)} rename to {identifier(name)}")


class LakeStaging:
    """Writes of one table, which become visible when the surrounding transaction commits."""

    def __init__(
        self,
        connection: DuckDBPyConnection,
        schema: str,
        table: str,
        insert_heads: Callable[[Sequence[Manifest]], None],
        start: str | None = None,
        *,
        is_new: bool = False,
    ) -> None:
        self.connection = connection
        self._schema = schema
        self._table = table
        self._insert_heads = insert_heads
        self._start = start
        self._is_new = is_new

    def replace(self, select: str, partitions: Sequence[str]) -> dict[str, TableDigest]:
        """Replace the rows of `partitions` (`[""]`: the whole table) by those of `select`. Return the digest of each.

        Raises: Refused DP-W005 when the columns changed and other partitions hold rows with the old ones, DP-W010 when
        rows belong to none of the partitions, DP-W011 for a type whose values the lake would change.
        """
        target = qualified(self._schema, self._table)
        columns = [(name, kind) for name, kind, *_ in self.connection.execute(f"describe {select}").fetchall()]
        refuse_types_not_kept(self._table, columns)
        if self._start is not None:
            self._start_over(self._start, target, partitions)
        elif self._is_new:
            drop_relation(self.connection, self._schema, self._table)
        if list(partitions) == [WHOLE]:
            written = self.connection.execute(f"create or replace table {target} as {select}").fetchone()
        else:
            self._prepare_partitioned(select, columns, partitions)
            self._delete(target, partitions)
            written = self.connection.execute(f"insert into {target} by name {select}").fetchone()
        fault_point("stage.after_write")
        found = digests(self.connection, f"({select})", partitions)
        strays = (written[0] if written else 0) - sum(digest.rows for digest in found.values())
        if strays:
            raise Refused("DP-W010", rows=strays, table=self._table, partitions=preview(partitions))
        return found

    def quarantine(self, select: str, partitions: Sequence[str]) -> None:
        """Replace the refused rows of `partitions` by those of `select`, which has the quarantine's columns."""
        target = qualified(self._schema, quarantine_table(self._table))
        if not self._columns(quarantine_table(self._table)):
            self.connection.execute(f"create table {target} ({QUARANTINE_COLUMNS})")
        self._delete(target, partitions)
        self.connection.execute(f"insert into {target} by name {select}")

    def record(self, manifests: Sequence[Manifest]) -> None:
        """Make the write the table's head when it commits."""
        self._insert_heads(manifests)

    def _start_over(self, start: str, target: str, partitions: Sequence[str]) -> None:
        """Replace the build area's rows by the inherited ones, without the partitions that are written next."""
        kept = "false"
        if list(partitions) != [WHOLE] and "_dp_partition" in columns_of(self.connection, start):
            kept = f"_dp_partition not in ({', '.join(literal(p) for p in partitions)})"
        put_table(self.connection, self._schema, self._table, f"select * from {start} where {kept}")
        if kept != "false":
            self.connection.execute(f"alter table {target} set partitioned by (_dp_partition)")

    def _prepare_partitioned(self, select: str, wanted: Sequence[tuple[str, str]], partitions: Sequence[str]) -> None:
        target = qualified(self._schema, self._table)
        have = self._columns(self._table)
        if sorted(have) == sorted(wanted):
            return
        if have:
            self._refuse_to_lose_partitions(target, have, wanted, partitions)
            self.connection.execute(f"drop table {target}")
        self.connection.execute(f"create table {target} as {select} limit 0")
        self.connection.execute(f"alter table {target} set partitioned by (_dp_partition)")

    def _refuse_to_lose_partitions(
        self,
        target: str,
        have: Sequence[tuple[str, str]],
        wanted: Sequence[tuple[str, str]],
        partitions: Sequence[str],
    ) -> None:
        if "_dp_partition" not in dict(have):
            return
        held = self.connection.execute(f"select distinct _dp_partition from {target} order by 1").fetchall()
        others = [part for (part,) in held if part not in partitions]
        if others:
            changed = sorted({name for name, _ in set(have) ^ set(wanted)})
            raise Refused("DP-W005", table=self._table, columns=preview(changed), partitions=preview(others))

    def _delete(self, target: str, partitions: Sequence[str]) -> None:
        if list(partitions) == [WHOLE]:
            self.connection.execute(f"delete from {target}")
        else:
            self.connection.execute(
                f"delete from {target} where list_contains($partitions, _dp_partition)",
                {"partitions": [WHOLE, *partitions]},  # WHOLE: rows refused before the table had partitions
            )

    def _columns(self, table: str) -> list[tuple[str, str]]:
        return self.connection.execute(
            "select column_name, data_type from duckdb_columns() where database_name = 'lake' "
            "and schema_name = $schema and table_name = $table order by column_index",
            {"schema": self._schema, "table": table},
        ).fetchall()
