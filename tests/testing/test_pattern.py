"""Texts made from a pattern match it, and a pattern that is not simple is said to be none."""

from __future__ import annotations

import re
from random import Random

import pytest

from dataops_platform.testing.pattern import texts_matching

SIMPLE = [
    "^c[0-9]+$", "^[A-Z]{3}$", "^N[0-9A-Z]{4,5}$", "abc", "a|b|", "^(ab|c)*d?$", r"^\d{4}-\d{2}$", r"^[^@\s]+@[a-z.]+$",
    r"^\w+?\.(com|org)$", "^(?:x|y){2,}$", "^(?P<name>a+)$", r"^[a\]\-z]+$", "^[]a]$", "^[a-]$", r"\S\D\W", "^.{3}$",
    "", "^[^a-zA-Z]$", r"^\+?[1-9]\d{1,14}$", "^a{0}b$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", SIMPLE)
def test_every_text_matches(pattern: str) -> None:
    made = texts_matching(pattern)
    assert made is not None
    for seed in range(40):
        text = made(Random(seed), seed % 6)
        assert re.search(pattern, text), text


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", "(?!a)b", r"(a)\1", r"\bword", "(?i)a", "a)", "(a", "[a", "[[:alpha:]]", "*"]
)
def test_a_pattern_that_is_not_simple_makes_none(pattern: str) -> None:
    assert texts_matching(pattern) is None
