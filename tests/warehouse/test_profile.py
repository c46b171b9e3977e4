"""What a profile shows of the columns of each partition."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from duckdb import DuckDBPyConnection

from dataops_platform.manifests.profile import ColumnProfile
from dataops_platform.warehouse.profile import profiles


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set TimeZone = 'UTC'")
        yield opened


def test_a_partition_has_a_profile_with_the_ranges_that_may_be_known(connection: DuckDBPyConnection) -> None:
    rows = (
        "(select * from (values (1, 0.5::double, 'x', date '2024-02-29', 'p'), (null, 'nan'::double, 'y', null, 'p'), "
        "(3, -1.5, repeat('z', 99), date '2024-01-01', 'q')) as t(n, share, secret, day, _dp_partition))"
    )
    found = profiles(connection, rows, ["p", "q", "r"], {"n", "share", "day"})
    assert found["p"] == (
        ColumnProfile("n", 1, 1, 1, 1),
        ColumnProfile("share", 0, 2, 0.5, 0.5),
        ColumnProfile("secret", 0, 2),
        ColumnProfile("day", 1, 1, "2024-02-29", "2024-02-29"),
    )
    assert found["r"] == ()
    (text,) = profiles(connection, "(select repeat('z', 99) as t)", [""], {"t"})[""]
    assert text.maximum == "z" * 64


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1.50::decimal(9,2)", 1.5),
        ("true", "true"),
        ("'-inf'::double", None),
        ("[1, 2]", "[1, 2]"),
        ("{'a': 1}", "{'a': 1}"),
        ("time '07:00'", "07:00:00"),
        ("'ab'::blob", "ab"),
        ("170141183460469231731687303715884105727::hugeint", 2**127 - 1),
        ("timestamptz '2024-01-01 00:00:00+00'", "2024-01-01 00:00:00+00"),
    ],
)
def test_any_type_has_a_profile(connection: DuckDBPyConnection, value: str, shown: object) -> None:
    (column,) = profiles(connection, f"(select {value} as v)", [""], {"v"})[""]
    assert (column.nulls, column.distinct, column.minimum, column.maximum) == (0, 1, shown, shown)
