"""Compares the rows of two versions of a table inside DuckDB, which spills to disk what does not fit in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.relation import columns_of
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.release.promotion.differences.section import NOT_SHOWN, VALUE_WIDTH, shown_value
from dataops_platform.warehouse.canonical import canonical

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SAMPLES = 100
"""The most rows shown of one table: added, removed and changed ones together."""
COLUMNS_SHOWN = 8
"""The most values shown of one row, besides its key."""

Columns = Mapping[str, str]


@dataclass(frozen=True)
class Version:
    """A version of a table: SQL that reads its rows, and the types of its columns without `_dp_*`."""

    relation: str
    columns: Columns

    def typed(self, name: str, other: Version) -> str:
        """Return SQL of a column to compare with that of the other version: by value if their types differ."""
        kind = self.columns[name]
        return identifier(name) if other.columns[name] == kind else canonical(name, kind)


@dataclass(frozen=True)
class RowChanges:
    """The number of rows that only one version has, and of those with the same key and other values.

    Without a `key` a changed row counts as one removed and one added, there are no samples, and `note` is the reason.
    `changed_in` counts changed rows by column. Columns that only one version has change no row; they are listed
    separately.
    """

    added: int
    removed: int
    changed: int
    key: tuple[str, ...] = ()
    note: str = ""
    changed_in: Mapping[str, int] = field(default_factory=dict)
    columns_added: tuple[str, ...] = ()
    columns_dropped: tuple[str, ...] = ()
    samples: tuple[Mapping[str, Any], ...] = ()


def version_of(connection: DuckDBPyConnection, relation: str, partitions: Collection[str] | None = None) -> Version:
    """Return a version of a table, restricted to `partitions` when they are given and the table has any."""
    columns = columns_of(connection, relation)
    if partitions is not None and "_dp_partition" in columns:
        wanted = ", ".join(map(literal, sorted(partitions))) or "null"
        relation = f"(select * from {relation} where _dp_partition in ({wanted}))"
    return Version(relation, {name: kind for name, kind in columns.items() if not name.startswith("_dp_")})


def compare_rows(
    connection: DuckDBPyConnection, before: Version, after: Version, key: Sequence[str], visible: Collection[str]
) -> RowChanges:
    """Return the differences of two versions. Values of columns that are not `visible` never leave the lake."""
    both = _Both(connection, before, after, tuple(key), frozenset(visible))
    new = tuple(name for name in after.columns if name not in before.columns)
    gone = tuple(name for name in before.columns if name not in after.columns)
    note = both.why_not_by_key()
    if note:
        added, removed = both.counted_as_wholes()
        return RowChanges(added, removed, 0, note=note, columns_added=new, columns_dropped=gone)
    added, removed, changed, changed_in = both.counted_by_key()
    samples = both.samples(added, removed, changed)
    return RowChanges(added, removed, changed, tuple(key), "", changed_in, new, gone, samples)


def shares(available: Sequence[int], most: int) -> list[int]:
    """Return how many of each kind to show, at most `most` in all: equal shares, plus what other kinds leave over."""
    given = [0] * len(available)
    todo = sorted(range(len(available)), key=lambda kind: available[kind])
    for position, kind in enumerate(todo):
        given[kind] = min(available[kind], (most - sum(given)) // (len(todo) - position))
    return given


@dataclass(frozen=True)
class _Both:
    """Two versions side by side.

    Queries name columns of the key k0, k1, … as compared and w0, w1, … as stored, the other shared columns c0, c1, …,
    and the values of samples v0, v1, ….
    """

    connection: DuckDBPyConnection
    before: Version
    after: Version
    key: tuple[str, ...]
    visible: frozenset[str]

    @cached_property
    def others(self) -> list[str]:
        """The columns that both versions have, besides the key."""
        return [n for n in self.after.columns if n in self.before.columns and n not in self.key]

    def why_not_by_key(self) -> str:
        """Return why rows cannot be matched by key; empty when they can."""
        if not self.key:
            return "the contract has no key"
        for when, version in (("before", self.before), ("after", self.after)):
            missing = [name for name in self.key if name not in version.columns]
            if missing:
                return f"no column {missing[0]} {when}"
            keys = ", ".join(map(identifier, self.key))
            twice = f"select 1 from {version.relation} group by {keys} having count(*) > 1 limit 1"
            if self.connection.execute(twice).fetchone():
                return f"the key is not unique {when}"
        return ""

    def counted_as_wholes(self) -> tuple[int, int]:
        """Return how many rows only the version after has, and how many only the one before. Duplicates count each."""
        shared = sorted(name for name in self.after.columns if name in self.before.columns)
        sides = []
        for version, sign in ((self.after, 1), (self.before, -1)):
            texts = ", ".join(["''", *(canonical(name, version.columns[name]) for name in shared)])
            sides.append(
                f"select md5_number(concat_ws(chr(31), {texts})) as row, {sign} as sign from {version.relation}"
            )
        found = self.connection.execute(
            f"with sums as (select sum(sign) as surplus from ({' union all '.join(sides)}) group by row) "
            "select coalesce(sum(surplus) filter (surplus > 0), 0), coalesce(-sum(surplus) filter (surplus < 0), 0) "
            "from sums"
        ).fetchone()
        assert found
        return int(found[0]), int(found[1])

    def counted_by_key(self) -> tuple[int, int, int, dict[str, int]]:
        """Rows added, removed, changed; and of the changed ones how many in each column."""
        differs = [f"(b.c{i} is distinct from a.c{i})" for i in range(len(self.others))]
        changed = f"b.here and a.here and ({' or '.join(differs) or 'false'})"
        each = "".join(f", count(*) filter (b.here and a.here and {one})" for one in differs)
        found = self.connection.execute(
            f"{self._sides()} select count(*) filter (b.here is null), count(*) filter (a.here is null), "
            f"count(*) filter ({changed}){each} from b full join a on {self._same_key()}"
        ).fetchone()
        assert found
        added, removed, rows, *columns = found
        return added, removed, rows, {n: c for n, c in zip(self.others, columns, strict=True) if c}

    def samples(self, added: int, removed: int, changed: int) -> tuple[Mapping[str, Any], ...]:
        """Return at most 100 rows: changed, then removed, then added ones, each in the order of the key."""
        wanted = shares([changed, removed, added], SAMPLES)
        return (
            *self._changed(wanted[0]),
            *self._alone("removed", self.before, self.after, wanted[1]),
            *self._alone("added", self.after, self.before, wanted[2]),
        )

    def _changed(self, most: int) -> list[Mapping[str, Any]]:
        if not most:
            return []
        differs = [f"(b.c{i} is distinct from a.c{i})" for i in range(len(self.others))]
        shown = [i for i, name in enumerate(self.others) if name in self.visible]
        values = [_cut(f"{side}.v{i}") for i in shown for side in "ba"]
        keys, order = self._keys("a")
        rows = self.connection.execute(
            f"{self._sides(shown)} select {', '.join([*keys, *differs, *values])} "
            f"from b join a on {self._same_key()} where {' or '.join(differs)} order by {order} limit {most}"
        ).fetchall()
        found = []
        for row in rows:
            key, rest = row[: len(keys)], row[len(keys) :]
            pairs = dict(
                zip(shown, zip(rest[len(differs) :: 2], rest[len(differs) + 1 :: 2], strict=True), strict=True)
            )
            cells: dict[str, Any] = {}
            for i in [i for i in range(len(differs)) if rest[i]]:
                before, after = pairs.get(i, (NOT_SHOWN, NOT_SHOWN))
                cells[self.others[i]] = {"before": shown_value(before), "after": shown_value(after)}
            found.append(self._sample("changed", key, cells))
        return found

    def _alone(self, change: str, here: Version, there: Version, most: int) -> list[Mapping[str, Any]]:
        """Return rows of one version whose key the other lacks."""
        if not most:
            return []
        names = [name for name in here.columns if name not in self.key]
        shown = [name for name in names if name in self.visible][:COLUMNS_SHOWN]
        mine = [f"{here.typed(name, there)} as k{i}" for i, name in enumerate(self.key)]
        values = [f"{identifier(name)} as v{i}" for i, name in enumerate(shown)]
        theirs = ", ".join(f"{there.typed(name, here)} as k{i}" for i, name in enumerate(self.key))
        keys, order = self._keys("a")
        plain = [f"{identifier(name)} as w{i}" for i, name in enumerate(self.key)]
        rows = self.connection.execute(
            f"with a as (select {', '.join([*mine, *plain, *values])} from {here.relation}), "
            f"b as (select {theirs} from {there.relation}) "
            f"select {', '.join([*keys, *(_cut(f'a.v{i}') for i in range(len(shown)))])} "
            f"from a anti join b on {self._same_key()} order by {order} limit {most}"
        ).fetchall()
        found = []
        for row in rows:
            cells = {n: shown_value(v) for n, v in zip(shown, row[len(keys) :], strict=True)}
            hidden = {name: NOT_SHOWN for name in names if name not in self.visible}
            found.append(self._sample(change, row[: len(keys)], cells | hidden))
        return found

    def _sides(self, shown: Sequence[int] = ()) -> str:
        parts = []
        for name, here, there in (("b", self.before, self.after), ("a", self.after, self.before)):
            columns = [f"{here.typed(column, there)} as k{i}" for i, column in enumerate(self.key)]
            columns += [f"{identifier(column)} as w{i}" for i, column in enumerate(self.key)]
            columns += [f"{here.typed(column, there)} as c{i}" for i, column in enumerate(self.others)]
            columns += [f"{identifier(self.others[i])} as v{i}" for i in shown]
            parts.append(f"{name} as (select true as here, {', '.join(columns)} from {here.relation})")
        return f"with {', '.join(parts)}"

    def _same_key(self) -> str:
        return " and ".join(f"b.k{i} is not distinct from a.k{i}" for i in range(len(self.key)))

    def _keys(self, side: str) -> tuple[list[str], str]:
        """Return SQL of the key's values, null where they may not be shown, and of the order of rows."""
        shown = [_cut(f"{side}.w{i}") if name in self.visible else "null" for i, name in enumerate(self.key)]
        return shown, ", ".join(f"{side}.w{i} nulls first" for i in range(len(self.key)))

    def _sample(self, change: str, key: Sequence[Any], cells: Mapping[str, Any]) -> Mapping[str, Any]:
        named = {
            name: shown_value(value) if name in self.visible else NOT_SHOWN
            for name, value in zip(self.key, key, strict=True)
        }
        kept = dict(list(cells.items())[:COLUMNS_SHOWN])
        more = len(cells) - len(kept)
        return {"change": change, "key": named, "values": kept, "more_columns": more or None}


def _cut(column: str) -> str:
    return f"left({column}::varchar, {VALUE_WIDTH + 1})"
