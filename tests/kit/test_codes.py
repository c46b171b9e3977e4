"""Every message's code can be looked up, and says what helps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataops_platform.kit.codes import ROOMS, explained, known_codes
from dataops_platform.kit.errors import LostRace, Refused, SystemFailed, UsedWrongly


def test_every_code_in_the_source_is_known_and_tells_something(root: Path) -> None:
    package = root / "dataops_platform"
    texts = [path.read_text() for path in package.rglob("*.py")]
    raised = {code for text in texts for code in re.findall(r'"(DP-[A-Z]\d{3})"', text)}
    known = known_codes()
    assert raised == set(known)
    assert [code for code, one in known.items() if not one.told] == []
    assert {code[3] for code in known} == set(ROOMS)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("DP-P101", Refused, "the cut is not consistent"),
        ("dp-l010", LostRace, "came first"),
        ("DP-P001", UsedWrongly, "no <FILE NAME> in"),
        ("DP-D004", Refused, "dbt"),
        ("DP-C012", Refused, "does not hold its contract"),
        ("DP-L043", SystemFailed, "of the anchors in"),
    ],
)
def test_a_code_says_its_kind_and_its_words(code: str, kind: type, words: str) -> None:
    found = explained(code)
    assert found.kind is kind
    assert any(words in said.what for said in found.told), found.told


def test_the_nearest_code_is_named() -> None:
    with pytest.raises(UsedWrongly, match=r"DP-X002 .*did you mean 'DP-P101'"):
        explained("DP-P1O1")


def test_no_code_is_told_by_nothing_but_what_is_filled_in() -> None:
    for code in known_codes().values():
        for said in code.told:
            words = re.sub(r"<[^>]*>|…", "", said.what + said.fix)
            assert re.search(r"\w", words), (code.code, said)


def test_ctrl_c_has_an_exit_code_of_its_own() -> None:
    assert explained("DP-X130").kind.exit_code == 130
