"""Two tables have one digest just where their canonical rows are equal, and these are the rows that are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.corpus.equality import queries
from tests.corpus.outcomes import canonical_rows, content_of

KEPT = Path(__file__).with_name("canonical_rows.json")
"""Canonical rows by the query that gives them: never written anew, so that another digest can be held to them."""


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("set timezone = 'UTC'")
        yield opened


def test_digests_are_equal_just_where_canonical_rows_are(connection: duckdb.DuckDBPyConnection) -> None:
    kept = {name: json.dumps(rows) for name, rows in json.loads(KEPT.read_text()).items()}
    digests = {name: content_of(connection, select) for name, select in queries().items()}
    assert digests.keys() == kept.keys()
    pairs = [(one, other) for one in kept for other in kept if one < other]
    wrong = [(a, b) for a, b in pairs if (kept[a] == kept[b]) != (digests[a] == digests[b])]
    assert wrong == []
    assert len(set(kept.values())) == len(set(digests.values())) < len(kept), "some are equal, some are not"


def test_the_canonical_rows_are_as_they_are_kept(connection: duckdb.DuckDBPyConnection) -> None:
    """By these texts plans compare the rows of two versions whose columns have other types."""
    found = {name: canonical_rows(connection, select) for name, select in queries().items()}
    assert found == json.loads(KEPT.read_text())
