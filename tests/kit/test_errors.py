"""An error says what, where and what to do, with a code and bounded examples."""

from __future__ import annotations

import pytest

from dataops_platform.kit.errors import (
    DataOpsError,
    LostRace,
    Refused,
    SystemFailed,
    UsedWrongly,
    did_you_mean,
    nearest,
    some,
)


def test_a_message_is_code_what_where_fix_in_that_order() -> None:
    error = Refused("DP-C012", "Contract flights is broken", where="asset clean/flights", fix="fix the source")
    assert str(error) == "DP-C012 Contract flights is broken. asset clean/flights. fix the source."


def test_a_part_that_is_missing_leaves_no_gap() -> None:
    assert str(UsedWrongly("DP-P001", "no dataops.yaml", fix="make one")) == "DP-P001 no dataops.yaml. make one."
    assert str(UsedWrongly("DP-P001", "no dataops.yaml")) == "DP-P001 no dataops.yaml."


@pytest.mark.parametrize("end", [".", "!", "?", "…"])
def test_a_sentence_that_ends_itself_gets_no_second_full_stop(end: str) -> None:
    assert str(Refused("DP-X1", f"really{end}", fix="yes")) == f"DP-X1 really{end} yes."


@pytest.mark.parametrize(("kind", "code"), [(Refused, 1), (UsedWrongly, 2), (LostRace, 3), (SystemFailed, 4)])
def test_each_kind_of_error_has_its_exit_code(kind: type[DataOpsError], code: int) -> None:
    error = kind("DP-X1", "what")
    assert (error.exit_code, error.code, error.what, error.where, error.fix) == (code, "DP-X1", "what", "", "")


def test_the_nearest_word_is_found_and_a_far_one_is_not() -> None:
    known = ["minimum", "maximum", "pattern"]
    assert nearest("minimun", known) == "minimum"
    assert nearest("xyz", known) == ""
    assert nearest("minimum", []) == ""


def test_a_hint_names_the_nearest_word_or_lists_at_most_ten() -> None:
    assert did_you_mean("fligts", {"weather", "flights"}) == "did you mean 'flights'?"
    assert did_you_mean("xyz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("xyz", []) == "known: none"
    eleven = [f"{letter}0" for letter in "abcdefghijk"]
    assert did_you_mean("xyz", eleven) == "known: a0, b0, c0, d0, e0, f0, g0, h0, i0, j0, …"


def test_examples_are_five_and_each_is_cut_at_forty_characters() -> None:
    assert some([]) == ""
    assert some([1, None, "x"]) == "1, None, x"
    assert some(range(6)) == "0, 1, 2, 3, 4, …"
    assert some(["x" * 40]) == "x" * 40
    assert some(["x" * 41]) == "x" * 39 + "…"
