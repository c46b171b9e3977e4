"""Digests of parts add up to the digest of the whole, in any order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.manifests.table_digest import TableDigest

HALF = st.integers(0, 2**64 - 1)
DIGESTS = st.builds(TableDigest, st.integers(0, 10**12), HALF, HALF)


def test_a_digest_is_written_as_rows_and_two_halves() -> None:
    assert str(TableDigest()) == "dp1:0:00000000000000000000000000000000"
    assert str(TableDigest(3, low=0xAB, high=0xC)) == "dp1:3:000000000000000c00000000000000ab"
    assert TableDigest.parse("dp1:3:000000000000000c00000000000000ab") == TableDigest(3, low=0xAB, high=0xC)


def test_each_half_adds_up_on_its_own_and_wraps() -> None:
    most = 2**64 - 1
    assert TableDigest(1, most, 5) + TableDigest(2, 1, most) == TableDigest(3, 0, 4)


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(DIGESTS, min_size=1, max_size=4))
def test_parts_add_up_to_the_whole_in_any_order(parts: list[TableDigest]) -> None:
    wholes = {sum(order, TableDigest()) for order in itertools.permutations(parts)}
    assert len(wholes) == 1
    assert parts[0] + TableDigest() == parts[0]


@settings(max_examples=100, deadline=None, database=None)
@given(DIGESTS, DIGESTS)
def test_a_part_can_be_taken_away(one: TableDigest, other: TableDigest) -> None:
    assert (one + other) - other == one
    assert one - one == TableDigest()


def test_more_rows_than_there_are_cannot_be_taken_away() -> None:
    with pytest.raises(ValueError, match="2 rows cannot be taken from 1"):
        TableDigest(1, 5, 5) - TableDigest(2, 1, 1)


@settings(max_examples=100, deadline=None, database=None)
@given(DIGESTS)
def test_what_is_written_is_read_back(digest: TableDigest) -> None:
    assert TableDigest.parse(str(digest)) == digest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dp1:3:",
        "dp1:3:0c",
        "dp2:3:000000000000000c00000000000000ab",
        "dp1:-3:000000000000000c00000000000000ab",
        "dp1:3:000000000000000C00000000000000AB",
        "dp1:3:000000000000000c00000000000000abc",
        "dp1:3:000000000000000c00000000000000ab\n",
        " dp1:3:000000000000000c00000000000000ab",
        "dp1:٣:000000000000000c00000000000000ab",
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    ],
)
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a table digest"):
        TableDigest.parse(text)
