"""The digest of rows, computed where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dataops_platform.kit.sql import identifier
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.manifests.table_digest import TableDigest

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def canonical(name: str, sql_type: str) -> str:
    """SQL that gives one text for equal values of a column, whatever its physical type.

    1, 1.0 and 1.00 are equal; -0.0 is 0; NaN is one value; a time with a zone is its moment in UTC; null is its own
    value. A text is preceded by its length, so that neighbours cannot run together.
    """
    column, kind = identifier(name), sql_type.upper()
    if kind in ("DOUBLE", "FLOAT"):
        text = f"case when isnan({column}) then 'nan' else printf('%.17g', {column}::double + 0.0) end"
    elif kind.startswith("DECIMAL"):
        text = f"rtrim(rtrim({column}::varchar, '0'), '.')" if not kind.endswith(",0)") else f"{column}::varchar"
    elif kind == "TIMESTAMP WITH TIME ZONE":
        text = f"epoch_us({column})::varchar || 'Z'"
    elif kind.startswith("TIMESTAMP"):
        text = f"epoch_us({column}::timestamp)::varchar"
    elif kind == "VARCHAR":
        text = f"strlen({column}) || ':' || {column}"
    else:
        text = f"{column}::varchar"
    return f"coalesce({text}, '~')"


def digests(connection: DuckDBPyConnection, relation: str, partitions: Sequence[str]) -> dict[str, TableDigest]:
    """The digest of each partition of a relation; columns named `_dp_*` do not count, nor does column order."""
    described = connection.execute(f"describe select * from {relation}").fetchall()
    columns = sorted((name, kind) for name, kind, *_ in described if not name.startswith("_dp_"))
    row = " || chr(31) || ".join(canonical(name, kind) for name, kind in columns)
    key = "_dp_partition" if list(partitions) != [WHOLE] else f"'{WHOLE}'"
    found = connection.execute(
        f"with rows as (select {key} as part, {row} as text from {relation}) "
        "select part, count(*), (sum(md5_number_lower(text)::hugeint) % 18446744073709551616)::varchar, "
        "(sum(md5_number_upper(text)::hugeint) % 18446744073709551616)::varchar from rows group by 1"
    ).fetchall()
    by_partition = {part: TableDigest(rows, int(low), int(high)) for part, rows, low, high in found}
    return {partition: by_partition.get(partition, TableDigest()) for partition in partitions}
