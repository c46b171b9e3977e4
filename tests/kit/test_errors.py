"""An error says what, where and what to do, with a code and bounded examples."""

from __future__ import annotations

import pickle

import pytest

from dataops_platform.kit.errors import (
    DataOpsError,
    LostRace,
    Refused,
    SystemFailed,
    UsedWrongly,
    did_you_mean,
    nearest,
    preview,
    sentences,
)


def test_a_message_is_code_what_where_fix_in_that_order() -> None:
    error = Refused("DP-P101", stale="sales was made from an older orders", environment="dev", names="sales")
    assert (error.code, error.kind, error.exit_code) == ("DP-P101", "refused", 1)
    assert str(error) == (
        "DP-P101 The cut is not consistent: sales was made from an older orders. Publication, dev. "
        "Rebuild them: dataops run --select sales; nothing was published."
    )
    assert error.message == "The cut is not consistent: sales was made from an older orders"
    assert error.where == "Publication, dev"
    assert error.fix == "Rebuild them: dataops run --select sales; nothing was published"
    assert error.fields == {"stale": "sales was made from an older orders", "environment": "dev", "names": "sales"}


def test_a_place_that_the_caller_knows_stands_in_for_that_of_the_registry() -> None:
    assert Refused("DP-P101", where="job promote", stale="", environment="dev", names="").where == "job promote"
    without = UsedWrongly("DP-L012", environment="prod")
    assert without.where == ""
    assert str(without) == "DP-L012 prod is not held. Nothing to do: it publishes already."
    assert "prod is not held. event 3. Nothing" in str(UsedWrongly("DP-L012", where="event 3", environment="prod"))


def test_fields_are_plain_numbers_and_texts_and_an_error_crosses_processes() -> None:
    error = SystemFailed("DP-L072", reason=OSError("no git"), where="here")
    assert error.fields == {"reason": "no git"}
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (SystemFailed, "DP-L072 git cannot be run: no git. here. Install git.")


@pytest.mark.parametrize("end", [".", "!", "?", "…"])
def test_a_sentence_that_ends_itself_gets_no_second_full_stop(end: str) -> None:
    assert sentences(f"Really{end}", "", "yes") == f"Really{end} yes."


@pytest.mark.parametrize(("kind", "code"), [(Refused, 1), (UsedWrongly, 2), (LostRace, 3), (SystemFailed, 4)])
def test_each_kind_of_error_has_its_exit_code(kind: type[DataOpsError], code: int) -> None:
    class Worse(kind):  # type: ignore[misc, valid-type]
        """A class made of a kind."""

    assert (kind.exit_code, Worse.exit_code, Worse.kind) == (code, code, kind.kind)


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
    assert preview([]) == ""
    assert preview([1, None, "x"]) == "1, None, x"
    assert preview(range(6)) == "0, 1, 2, 3, 4, …"
    assert preview(["x" * 40]) == "x" * 40
    assert preview(["x" * 41]) == "x" * 39 + "…"
