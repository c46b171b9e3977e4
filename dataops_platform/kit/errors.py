"""Errors a user can act on: a stable code, what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class DataOpsError(Exception):
    """A problem told in order: what, where, what to do.

    `exit_code` is what the command line ends with: 1 refused, 2 used wrongly, 3 lost a race, 4 failed, 130 stopped.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, code: str, what: str, *, where: str = "", fix: str = "") -> None:
        self.code = code
        self.what = what
        self.where = where
        self.fix = fix
        super().__init__(code, what)

    def __str__(self) -> str:
        parts = [_sentence(part) for part in (self.what, self.where, self.fix) if part]
        return f"{self.code} {' '.join(parts)}"


class Refused(DataOpsError):
    """A contract, a gate or a consistency rule said no; nothing was changed."""

    exit_code = 1


class UsedWrongly(DataOpsError):
    """A file, an option or a name given by the user cannot be used as it is."""

    exit_code = 2


class LostRace(DataOpsError):
    """Another writer moved the environment first."""

    exit_code = 3


class SystemFailed(DataOpsError):
    """Something outside the project failed."""

    exit_code = 4


class Stopped(DataOpsError):
    """Somebody pressed Ctrl-C."""

    exit_code = 130


def stopped() -> Stopped:
    """What is said then."""
    return Stopped("DP-X130", "Stopped", fix="What was committed stays; nothing is half published")


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word closest to `word`, or an empty string when none is close."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known word, else the words there are (at most ten)."""
    names = sorted(known)
    near = nearest(word, names)
    if near:
        return f"did you mean {near!r}?"
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"known: {shown or 'none'}"


def some(items: Iterable[object], most: int = 5, width: int = 40) -> str:
    """At most `most` items as text, each cut at `width` characters."""
    texts = [_cut(str(item), width) for item in items]
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _sentence(text: str) -> str:
    return text if text[-1] in ".!?…" else text + "."
