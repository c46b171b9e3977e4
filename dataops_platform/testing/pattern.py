"""Texts that match a simple regular expression.

Letters, classes, groups, alternatives, repetitions and anchors are known; look-arounds, references and flags are not.
A library would be less to read: rstr's texts depend on the hash seed of the process (it draws from sets), and samples
must be the same again for a seed; Hypothesis draws no single value from a given generator of random numbers.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from random import Random

Text = Callable[[Random, int], str]
"""Makes a text. An unbounded repetition repeats at most `reach` times more than it must."""

_WORD = string.ascii_letters + string.digits + "_"
_ANY = string.ascii_letters + string.digits + " !#$%&()*+,-./:;<=>?@[]^_{|}~"
_CLASSES = {"d": string.digits, "w": _WORD, "s": " \t"}
_CLASSES |= {name.upper(): "".join(c for c in _ANY if c not in known) for name, known in _CLASSES.items()}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}


def texts_matching(pattern: str) -> Text | None:
    """Return a function that makes matching texts, or None for a pattern that is not simple. Anchors are ignored."""
    try:
        parser = _Parser(pattern)
        made = parser.alternatives()
        return made if parser.at == len(pattern) else None
    except (_NotSimple, IndexError, TypeError, ValueError):
        return None


class _NotSimple(Exception):
    """A part of a pattern that this parser does not know."""


class _Parser:
    """A parser of patterns, from left to right; each method parses what it is named after."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self) -> Text:
        """`a|b`."""
        parts = [self.sequence()]
        while self._takes("|"):
            parts.append(self.sequence())
        return lambda chance, reach: chance.choice(parts)(chance, reach)

    def sequence(self) -> Text:
        """`ab+`."""
        parts: list[Text] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self.repeated(self.one()))
        return lambda chance, reach: "".join(part(chance, reach) for part in parts)

    def repeated(self, part: Text) -> Text:
        """`*`, `+`, `?`, `{2}`, `{2,}`, `{2,4}`, lazy or not."""
        least, most = 1, 1
        if self._takes("*"):
            least, most = 0, -1
        elif self._takes("+"):
            most = -1
        elif self._takes("?"):
            least = 0
        elif self._takes("{"):
            end = self.pattern.index("}", self.at)
            first, comma, last = self.pattern[self.at : end].partition(",")
            least = int(first)
            most = int(last) if last else -1 if comma else least
            self.at = end + 1
        else:
            return part
        self._takes("?")

        def made(chance: Random, reach: int) -> str:
            reached = least + reach if most < 0 else min(most, least + reach)
            return "".join(part(chance, reach) for _ in range(chance.randint(least, reached)))

        return made

    def one(self) -> Text:
        """Return a group, a class, an anchor or a character."""
        character = self._next()
        if character in "^$":
            return lambda chance, reach: ""
        if character == "(":
            return self.group()
        if character in "*+?{":
            raise _NotSimple
        return _chosen(self.members(character))

    def group(self) -> Text:
        """`(a)`, `(?:a)` and `(?P<name>a)`."""
        if self._takes("?"):
            if self._takes("P<") or (self._takes("<") and self.pattern[self.at] not in "=!"):
                self.at = self.pattern.index(">", self.at) + 1
            elif not self._takes(":"):
                raise _NotSimple
        inner = self.alternatives()
        if not self._takes(")"):
            raise _NotSimple
        return inner

    def members(self, character: str) -> str:
        """Return the characters that `[a-z]`, `.`, an escaped or a plain character stand for."""
        if character == "[":
            return self.listed()
        if character == ".":
            return _ANY
        if character != "\\":
            return character
        escaped = self._next()
        if escaped in _CLASSES:
            return _CLASSES[escaped]
        if escaped.isalnum() and escaped not in _ESCAPED:
            raise _NotSimple
        return _ESCAPED.get(escaped, escaped)

    def listed(self) -> str:
        """Return the inside of `[…]`."""
        negated, found = self._takes("^"), ""
        while not found or self.pattern[self.at] != "]":
            first = self.listed_one()
            if len(first) == 1 and self.pattern[self.at] == "-" and self.pattern[self.at + 1] != "]":
                self.at += 1
                last = ord(self.listed_one())
                first = "".join(map(chr, range(ord(first), min(last, ord(first) + 500) + 1)))
            found += first
        self.at += 1
        members = "".join(c for c in _ANY if c not in found) if negated else found
        if not members:
            raise _NotSimple
        return members

    def listed_one(self) -> str:
        """Return one character of `[…]`, or what an escaped one stands for."""
        character = self._next()
        if character == "[" and self.pattern[self.at] == ":":
            raise _NotSimple
        return self.members(character) if character == "\\" else character

    def _next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def _takes(self, text: str) -> bool:
        taken = self.pattern.startswith(text, self.at)
        self.at += len(text) * taken
        return taken


def _chosen(characters: str) -> Text:
    return lambda chance, reach: chance.choice(characters)
