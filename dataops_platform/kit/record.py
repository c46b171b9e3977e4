"""Frozen records as plain JSON-like values and back, by the rule of growth (docs/concepts/formats.md).

A key without a field is kept in `more`. A field that is None is an absent key.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T", bound="Record")


@dataclass(frozen=True, kw_only=True)
class Record:
    """A record that keeps the keys that a later version may add."""

    more: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)


def plain_of(record: Record) -> dict[str, Any]:
    """Return a record as a mapping: fields that are not None, inner records as mappings, tuples as lists, the keys of
    `more`.
    """
    values = ((name, getattr(record, name)) for name in _fields(type(record)))
    return {**{name: _plain(value) for name, value in values if value is not None}, **record.more}


def record_of(kind: type[T], plain: object) -> T:
    """Return the record with the values that `plain_of` returned. Raises: ValueError for values of another record."""
    if not isinstance(plain, Mapping):
        raise ValueError(f"{plain!r} is no {kind.__name__}")
    fields = _fields(kind)
    missing = [name for name, one in fields.items() if one.is_required and name not in plain]
    if missing:
        raise ValueError(f"a key is missing: {missing[0]}")
    known = {name: fields[name].read(value) for name, value in plain.items() if name in fields}
    return kind(**known, more={name: value for name, value in plain.items() if name not in fields})


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return plain_of(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class _Field:
    """How a key is read, and whether it is required: any default but None would be written where the key was absent."""

    read: Callable[[Any], Any]
    is_required: bool


def _fields(kind: type[Record]) -> Mapping[str, _Field]:
    return _fields_of(cast("Hashable", kind))


@cache
def _fields_of(kind: Any) -> dict[str, _Field]:
    hints = get_type_hints(kind)
    found = (one for one in dataclasses.fields(kind) if one.name != "more")
    return {one.name: _Field(_reader(hints[one.name]), one.default is not None) for one in found}


def _reader(hint: Any) -> Callable[[Any], Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        (hint,) = (one for one in arguments if one is not type(None))
        return _reader(hint)
    if origin is tuple:
        return partial(_items, _reader(arguments[0]))
    if isinstance(hint, type) and issubclass(hint, Record):
        return partial(record_of, hint)
    kinds: dict[Any, tuple[type, ...]] = {float: (float, int), Literal: (str,), Mapping: (Mapping,)}
    return partial(_value, kinds.get(origin or hint, (origin or hint,)))


def _items(read: Callable[[Any], Any], value: object) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{value!r} is no list")
    return tuple(map(read, value))


def _value(kinds: tuple[type, ...], value: object) -> object:
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{value!r} is no {kinds[0].__name__}")
    return value
