"""A plan: what a promotion would change, what each gate says to it, and the state it was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.record import Record, plain_of, record_of
from dataops_platform.manifests.events import GateAnswer

PLAN = "plan"
"""The kind of document that the lake keeps plans as."""

Verdict = Literal["pass", "fail", "waived"]


@dataclass(frozen=True)
class Answer(Record):
    """What a gate said: `pass`, `fail`, or `waived` (somebody lets it say no), in words and with its evidence."""

    gate: str
    verdict: Verdict
    said: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Plan(Record):
    """Moves `environment` to `release`. `pointer` is the event that it was pointed at its present release by.

    The id is that of the question (which release, where, instead of what, past which gates), not of the answers: it
    is the same when the plan is made again, until the world has moved on.
    """

    environment: str
    release: str
    pointer: int
    gates: Sequence[Mapping[str, Any]]
    before: str
    answers: tuple[Answer, ...]
    differences: Mapping[str, Any]
    made_by: str
    made_at: str

    @cached_property
    def id(self) -> str:
        """Digest of environment, release, pointer and the settings of the gates."""
        return digest_of([self.environment, self.release, self.pointer, [dict(gate) for gate in self.gates]])

    @property
    def passes(self) -> bool:
        """Whether no gate says no."""
        return all(answer.verdict != "fail" for answer in self.answers)

    @property
    def next(self) -> tuple[str, ...]:
        """The commands to give next: approve what lacks approval only, then carry out the plan."""
        no = {answer.gate for answer in self.answers if answer.verdict == "fail"}
        if no - {"approval"}:
            return ()
        promote = f"dataops promote --to {self.environment} --plan {self}"
        return (f"dataops approve {self}", promote) if no else (promote,)

    def __str__(self) -> str:
        return short(self.id)

    def to_plain(self) -> dict[str, Any]:
        """The plan as a JSON-like record."""
        return {**plain_of(self), "id": self.id, "passes": self.passes, "next": list(self.next)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Plan:
        """The plan written by `to_plain`. Raises: ValueError for other values."""
        return record_of(cls, {key: value for key, value in plain.items() if key not in ("id", "passes", "next")})


def told(answers: Sequence[Answer]) -> tuple[GateAnswer, ...]:
    """Answers as an event of the ledger keeps them, without their evidence."""
    return tuple(GateAnswer(gate=a.gate, verdict=a.verdict, said=a.said) for a in answers)
