"""Hashes of the values of an Arrow array: equal where values are equal, whatever the physical type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataops_platform.warehouse.row_hash.mix import combined, constant, key, mix, weight
from dataops_platform.warehouse.row_hash.numbers import hash_floats, hash_integers, hash_wide_integers

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from dataops_platform.warehouse.row_hash.mix import Words

_SCALES = {"s": -6, "ms": -3, "us": 0, "ns": 3}
"""For each unit of time the scale at which ticks·10^-scale are microseconds."""
_ENDLESS = 2**63 - 1
"""The timestamp that stands for infinity; its negative stands for minus infinity."""


def hashes(array: pa.Array) -> Words:
    """Return one word for each value. Raises: TypeError for a type that has no hash."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(array.type):
        return np.full(len(array), constant("null"), "u8")
    found = _of_type(array, array.type)
    if array.null_count:
        found[pc.is_null(array).to_numpy(zero_copy_only=False)] = constant("null")
    return found


def _of_type(array: pa.Array, kind: pa.DataType) -> Words:
    """Return the hashes of the values that are not null; the others are undefined."""
    import pyarrow as pa
    import pyarrow.types as is_a

    if isinstance(array, pa.ExtensionArray):
        return hashes(array.storage)
    if is_a.is_dictionary(kind):
        return _dictionary(array)
    if is_a.is_struct(kind):
        fields = {kind.field(i).name: hashes(array.field(i)) for i in range(kind.num_fields)}
        return combined(fields, "struct", len(array))
    if is_a.is_map(kind):
        return _map(array)
    if is_a.is_nested(kind) and not is_a.is_union(kind):
        return _list(array)
    if is_a.is_boolean(kind):
        return hash_integers(_integers(array.cast(pa.int8()), "i1"), "boolean")
    if is_a.is_temporal(kind):
        return _temporal(array, kind)
    if is_a.is_integer(kind) or is_a.is_floating(kind) or is_a.is_decimal(kind):
        return _number(array, kind)
    if is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind):
        return _bytes(array, "text")
    if is_a.is_fixed_size_binary(kind):
        return _bytes(array.cast(pa.binary()), "blob")
    if is_a.is_binary(kind) or is_a.is_large_binary(kind) or is_a.is_binary_view(kind):
        return _bytes(array, "blob")
    raise TypeError(f"values of Arrow type {kind} have no digest")


def _number(array: pa.Array, kind: pa.DataType) -> Words:
    import numpy as np
    import pyarrow as pa
    import pyarrow.types as is_a

    if is_a.is_floating(kind):
        return hash_floats(_memory(array, kind.to_pandas_dtype()).astype("f8", copy=False))
    if is_a.is_decimal(kind):
        halves = _memory(array.cast(pa.decimal128(38, kind.scale)), "2i8")
        return hash_wide_integers(halves[:, 0].astype("u8"), halves[:, 1].astype("i8"), kind.scale)
    if is_a.is_uint64(kind):
        return hash_wide_integers(_memory(array, "u8"), np.zeros(len(array), "i8"))
    return hash_integers(_integers(array, kind.to_pandas_dtype()))


def _temporal(array: pa.Array, kind: pa.DataType) -> Words:
    import pyarrow as pa
    import pyarrow.types as is_a

    if is_a.is_date(kind):
        return hash_integers(_integers(array.cast(pa.date32()), "i4"), "date")
    if is_a.is_time(kind):
        ticks = _integers(array, "i4" if kind.bit_width == 32 else "i8")
        return hash_integers(ticks, "time", _SCALES[kind.unit])
    if is_a.is_timestamp(kind):
        ticks, name = _integers(array, "i8"), "timestamp" if kind.tz is None else "moment"
        found = hash_integers(ticks, name, _SCALES[kind.unit])
        found[ticks == _ENDLESS] = constant(name, "infinity")
        found[ticks == -_ENDLESS] = constant(name, "-infinity")
        return found
    if is_a.is_interval(kind):
        memory = _memory(array, [("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")])
        parts = {name: hash_integers(memory[name].astype("i8")) for name in ("months", "days", "nanoseconds")}
        return combined(parts, "interval", len(array))
    raise TypeError(f"values of Arrow type {kind} have no digest")


def _bytes(array: pa.Array, kind: str) -> Words:
    import polars as pl
    import polars_hash as plh

    frame = pl.DataFrame({"value": pl.from_arrow(array)})
    found = frame.select(plh.col("value").nchash.xxh3_64().fill_null(0)).to_series()
    words: Words = found.to_numpy() + key(kind)
    return words


def _dictionary(array: pa.Array) -> Words:
    import numpy as np

    if not len(array.dictionary):
        return np.zeros(len(array), "u8")  # every value is null
    words: Words = hashes(array.dictionary)[array.indices.fill_null(0).to_numpy()]
    return words


def _list(array: pa.Array) -> Words:
    """Return the hashes of lists in any of Arrow's layouts."""
    import pyarrow.compute as pc

    lengths = pc.list_value_length(array).fill_null(0).to_numpy()
    return _runs(hashes(pc.list_flatten(array)), lengths, "list")


def _map(array: pa.Array) -> Words:
    import numpy as np

    ends = array.offsets.to_numpy()
    first, length = ends[0], ends[-1] - ends[0]
    entries = {"key": hashes(array.keys.slice(first, length)), "value": hashes(array.items.slice(first, length))}
    return _runs(combined(entries, "struct", length), np.diff(ends), "map")


def _runs(items: Words, lengths: NDArray[Any], kind: str) -> Words:
    """Return one hash for each run of items. `lengths` are those of consecutive runs; places in a run count."""
    import numpy as np

    ends = np.zeros(len(lengths) + 1, "i8")
    np.cumsum(lengths, out=ends[1:])
    places = np.arange(len(items)) - np.repeat(ends[:-1], lengths)
    sums = np.zeros(len(items) + 1, "u8")
    np.cumsum(mix(items + places.view("u8") * weight("place")), out=sums[1:])
    return mix(sums[ends[1:]] - sums[ends[:-1]] + key(kind))


def _integers(array: pa.Array, dtype: Any) -> NDArray[np.int64]:
    return _memory(array, dtype).astype("i8", copy=False)


def _memory(array: pa.Array, dtype: Any) -> NDArray[Any]:
    """Return the fixed-width values of an array without a copy. The value of a null is undefined."""
    import numpy as np

    typed, memory = np.dtype(dtype), array.buffers()[1]
    if memory is None or not len(array):
        return np.zeros(len(array), typed)
    return np.frombuffer(memory, typed, len(array), array.offset * typed.itemsize)
