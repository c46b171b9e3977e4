"""The registry of codes: what each message says, what to do, and an example. People write it, in `messages/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from string import Formatter

MESSAGES = Path(__file__).with_name("messages")
"""The registry: a file for each letter, or several where it has many codes."""


@dataclass(frozen=True)
class ErrorKind:
    """A kind of error: the exit status of a command that ends with it, and what it means for the data."""

    exit_code: int
    meaning: str


KINDS = {
    "refused": ErrorKind(1, "a contract, a gate or a rule does not hold; nothing is changed"),
    "misused": ErrorKind(2, "a file, an option or a name cannot be used as it is; nothing is changed"),
    "lost_race": ErrorKind(3, "another process was first; its change stands, and the command can be run again"),
    "failed": ErrorKind(4, "something outside the project failed; what consumers see is unchanged"),
    "stopped": ErrorKind(130, "the user stopped it; what is committed stays, and nothing is half published"),
}

ROOMS = {
    "C": "contracts",
    "D": "dbt",
    "E": "source files",
    "G": "gates and approvals",
    "L": "ledger and releases",
    "M": "models and their registry",
    "N": "new projects",
    "P": "settings and publications",
    "Q": "queries",
    "R": "runs and the code they run",
    "S": "functions of the project",
    "T": "training and scoring",
    "W": "the lake",
    "X": "the platform itself",
    "Y": "YAML files",
}
"""What the codes of each letter are about."""


@dataclass(frozen=True)
class ErrorCode:
    """A code and its texts, in which fields stand in braces; `example` holds a value for each field."""

    code: str
    kind: str
    message: str
    fix: str = ""
    where: str = ""
    example: Mapping[str, object] = field(default_factory=dict)

    @property
    def about(self) -> str:
        """What the codes of this letter are about."""
        return ROOMS[self.code[3]]

    @property
    def exit_code(self) -> int:
        """The exit status of a command that ends with this code."""
        return KINDS[self.kind].exit_code

    @property
    def meaning(self) -> str:
        """What this kind of error means for the data."""
        return KINDS[self.kind].meaning

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields in its texts."""
        parts = Formatter().parse(f"{self.message}{self.where}{self.fix}")
        return frozenset(name for _, name, _, _ in parts if name)

    def filled(self, fields: Mapping[str, object]) -> ErrorCode:
        """The same with the fields in place of their names. Raises: KeyError for a field that is missing."""
        message, fix, where = (text.format(**fields) for text in (self.message, self.fix, self.where))
        return replace(self, message=message, fix=fix, where=where)


@cache
def codes_of(letter: str) -> Mapping[str, ErrorCode]:
    """Return the codes of a letter in order. Reads its files on first use."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, ErrorCode] = {}
    for path in MESSAGES.glob(f"{letter}*.yaml"):
        texts = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506
        found |= {code: ErrorCode(code, **text) for code, text in texts.items()}
    return dict(sorted(found.items()))


def known_codes() -> dict[str, ErrorCode]:
    """Return all codes in order."""
    return {code: found for letter in ROOMS for code, found in codes_of(letter).items()}


def entry(code: str) -> ErrorCode:
    """Return the registry's entry of a code. Raises: KeyError for an unknown code."""
    return codes_of(code[3])[code]
