"""Digests of rows: DuckDB streams Arrow batches, and the hashes of their rows are summed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dataops_platform.kit.sql import identifier
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.manifests.table_digest import TableDigest

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

    from dataops_platform.warehouse.row_hash.mix import Words

BATCH_ROWS = 1 << 16
"""Rows of a batch: few enough for a column's hashes to stay in the processor's cache."""
_NESTED = ("array", "list", "map", "struct")
_WITHOUT_ARROW_FORM = ("bit", "bignum", "geometry", "time with time zone", "uhugeint", "union", "variant")


def digests(connection: DuckDBPyConnection, relation: str, partitions: Sequence[str]) -> dict[str, TableDigest]:
    """Return the digest of each partition of a relation, as `docs/concepts/row-digest.md` specifies it.

    Column names count, their order does not. Columns named `_dp_*` are left out, and so are rows of other partitions.
    Rows are streamed: memory does not grow with their number.
    """
    described = connection.sql(f"from {relation}")
    kinds = zip(described.columns, described.types, strict=True)
    columns = {name: _as_arrow(name, kind) for name, kind in kinds if not name.startswith("_dp_")}
    partition = "null" if list(partitions) == [WHOLE] else "_dp_partition"
    found = dict.fromkeys(partitions, TableDigest())
    with _batches(connection, f"select {', '.join([*columns.values(), partition])} from {relation}") as batches:
        for batch in batches:
            *values, parts = batch.columns
            for part, digest in _summed(dict(zip(columns, values, strict=True)), parts):
                if part in found:
                    found[part] += digest
    return found


def _as_arrow(name: str, kind: DuckDBPyType) -> str:
    """Return SQL of a column, cast where Arrow lacks its type."""
    if kind.id == "uhugeint":
        return f"{identifier(name)}::hugeint"
    return identifier(name) if _has_arrow_form(kind) else f"{identifier(name)}::varchar"


def _has_arrow_form(kind: DuckDBPyType) -> bool:
    if kind.id not in _NESTED:
        return kind.id not in _WITHOUT_ARROW_FORM
    return all(_has_arrow_form(child) for _, child in kind.children if not isinstance(child, int | list))


@contextmanager
def _batches(connection: DuckDBPyConnection, query: str) -> Iterator[pa.RecordBatchReader]:
    """Yield the rows of a query as a stream of batches. Raises: duckdb.Error, also in place of Arrow's errors."""
    import duckdb
    import pyarrow as pa

    try:
        with connection.execute(query).to_arrow_reader(BATCH_ROWS) as reader:
            yield reader
    except (OSError, pa.ArrowException) as error:
        raise duckdb.Error(str(error)) from error


def _summed(columns: dict[str, pa.Array], parts: pa.Array) -> Iterator[tuple[str, TableDigest]]:
    """Yield the digest of each partition in a batch. Rows whose partition is null belong to the whole."""
    import numpy as np

    from dataops_platform.warehouse.row_hash.rows import row_hashes

    lanes = row_hashes(columns, len(parts))
    encoded = parts.cast("string").dictionary_encode("encode")
    names = [WHOLE if name is None else name for name in encoded.dictionary.to_pylist()]
    if len(names) == 1:
        yield names[0], _total(lanes)
        return
    codes = encoded.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(1, len(names)))
    for name, rows in zip(names, np.split(order, starts), strict=True):
        yield name, _total([lane[rows] for lane in lanes])


def _total(lanes: Sequence[Words]) -> TableDigest:
    low, high = (int(lane.sum()) for lane in lanes)
    return TableDigest(len(lanes[0]), low, high)
