"""Digests are equal for equal content, whatever the order, and differ for anything else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.kit.digests import (
    canonical_json,
    digest_of,
    digest_of_bytes,
    digest_of_file,
    digest_of_files,
    short,
)

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: "\\ud" not in ascii(value))


def test_digests_stay_what_they_are_from_release_to_release() -> None:
    assert digest_of({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest_of({"b": [1, 2.5, None], "a": "é"}) == (
        "sha256:d764fee2563da33e3d57334755404e635da33c995824b0adfabc4b6e1af4f608"
    )
    assert digest_of_bytes(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


VECTORS = [json.loads(line) for line in (Path(__file__).parent / "frozen" / "canonical.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["json"][:30])
def test_the_canonical_text_of_a_value_stays_what_it_is(vector: dict[str, str]) -> None:
    value = json.loads(vector["json"])
    assert canonical_json(value) == vector["canonical"]
    assert digest_of(value) == digest_of_bytes(vector["canonical"].encode()) == vector["digest"]


@settings(max_examples=200, deadline=None, database=None)
@given(PLAIN)
def test_what_is_read_from_a_canonical_text_has_that_text(value: object) -> None:
    assert canonical_json(json.loads(canonical_json(value))) == canonical_json(value)


@pytest.mark.parametrize("value", [{1: "a", "1": "b"}, [{"a": {None: 1}}], ({True: 1},)])
def test_a_key_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="is no text"):
        canonical_json(value)


def test_what_is_not_unicode_has_no_digest() -> None:
    with pytest.raises(UnicodeEncodeError):
        digest_of("\ud800")


def test_canonical_text_has_sorted_keys_and_no_white_space() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'


@settings(max_examples=100, deadline=None, database=None)
@given(st.dictionaries(st.text(), PLAIN, max_size=5))
def test_the_order_of_keys_does_not_count(record: dict[str, object]) -> None:
    assert digest_of(dict(reversed(record.items()))) == digest_of(record)


def test_the_order_of_items_counts_and_so_does_every_type() -> None:
    values = [[1, 2], [2, 1], ["1", "2"], [1.5, 2], [True, 2], [None, 2], {"1": 2}, "[1,2]"]
    assert len({digest_of(value) for value in values}) == len(values)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_does_not_know_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_of({"share": number})


def test_files_are_digested_by_relative_name_and_bytes_in_any_order(tmp_path: Path) -> None:
    def folder(name: str, files: dict[str, str]) -> list[Path]:
        paths = [tmp_path / name / relative for relative in files]
        for path, text in zip(paths, files.values(), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return paths

    one = folder("one", {"a.sql": "select 1", "sub/b.sql": "select 2"})
    two = folder("two", {"sub/b.sql": "select 2", "a.sql": "select 1"})
    swapped = folder("swapped", {"a.sql": "select 2", "sub/b.sql": "select 1"})
    renamed = folder("renamed", {"a.sql": "select 1", "sub/c.sql": "select 2"})
    base = digest_of_files(tmp_path / "one", one)
    assert digest_of_files(tmp_path / "two", two) == base
    assert digest_of_files(tmp_path / "swapped", swapped) != base
    assert digest_of_files(tmp_path / "renamed", renamed) != base
    assert digest_of_file(one[0]) == digest_of_bytes(b"select 1")


def test_a_digest_is_shown_short_without_its_kind() -> None:
    assert short("sha256:0123456789abcdef") == "0123456789ab"
    assert short("sha256:0123456789abcdef", 4) == "0123"
