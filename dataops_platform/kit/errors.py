"""Errors a user can act on: a stable code, what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from dataops_platform.kit.codes import KINDS, ErrorCode, entry


class DataOpsError(Exception):
    """A problem by its code and fields; the registry of codes has the sentences, which are filled in when asked for.

    `fields` hold names, numbers and short lists, never a secret. `where` is a place that only the caller knows; it
    stands in for the registry's. `exit_code` is the exit status of the command line.
    """

    kind: ClassVar[str]
    exit_code: ClassVar[int]

    def __init_subclass__(cls, kind: str = "") -> None:
        if kind:
            cls.kind, cls.exit_code = kind, KINDS[kind].exit_code

    def __init__(self, code: str, *, where: str = "", **fields: object) -> None:
        super().__init__(code)
        self.code = code
        self.context = where
        self.fields = {
            name: value if isinstance(value, str | int | float) else str(value) for name, value in fields.items()
        }

    @property
    def message(self) -> str:
        """What is wrong."""
        return self._texts.message

    @property
    def where(self) -> str:
        """Where it is wrong; empty when the message names the place."""
        return self.context or self._texts.where

    @property
    def fix(self) -> str:
        """What to do."""
        return self._texts.fix

    def __str__(self) -> str:
        return f"{self.code} {sentences(self.message, self.where, self.fix)}"

    @property
    def _texts(self) -> ErrorCode:
        return entry(self.code).filled(self.fields)


class Refused(DataOpsError, kind="refused"):
    """A contract, a gate or a consistency rule does not hold; nothing was changed."""


class UsedWrongly(DataOpsError, kind="misused"):
    """A file, an option or a name given by the user cannot be used as it is."""


class LostRace(DataOpsError, kind="lost_race"):
    """Another writer moved the environment first."""


class SystemFailed(DataOpsError, kind="failed"):
    """Something outside the project failed."""


class Stopped(DataOpsError, kind="stopped"):
    """Somebody pressed Ctrl-C."""


def stopped() -> Stopped:
    """Return the error of a command that Ctrl-C ends."""
    return Stopped("DP-X130")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word closest to `word`, or an empty string when none is close."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the nearest known word, else at most ten of the known words."""
    names = sorted(known)
    near = nearest(word, names)
    if near:
        return f"did you mean {near!r}?"
    listed = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"known: {listed or 'none'}"


def preview(items: Iterable[object], most: int = 5, width: int = 40) -> str:
    """Return at most `most` items as text, each cut at `width` characters."""
    texts = [_cut(str(item), width) for item in items]
    return ", ".join(texts[:most]) + (", …" if len(texts) > most else "")


def sentences(*texts: str) -> str:
    """Return texts joined by spaces, each ended by a full stop unless it ends with a mark; empty ones are left out."""
    return " ".join(text if text[-1] in ".!?…" else f"{text}." for text in texts if text)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
