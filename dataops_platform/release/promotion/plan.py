"""A plan: what a promotion would change, the answer of each gate, and the state that it was made against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.record import Record, plain_of, record_of
from dataops_platform.manifests.events import GateAnswer

PLAN = "plan"
"""The kind under which the lake stores plans as documents."""

GateVerdict = Literal["pass", "fail", "waived"]


@dataclass(frozen=True)
class Answer(Record):
    """The answer of a gate: verdict, text, and JSON-like evidence. `waived` is a failure that somebody lets pass."""

    gate: str
    verdict: GateVerdict
    message: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Plan(Record):
    """A promotion of `release` to `environment`, which shows the release `before`.

    `pointer` is the sequence of the event that pointed the environment at its present release. The id covers the
    question (which release, where, after which event, with which gates) and not the answers. So a plan that is made
    again has the same id until the environment or its gates change.
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
        """The digest of environment, release, pointer and the settings of the gates."""
        return digest_of([self.environment, self.release, self.pointer, [dict(gate) for gate in self.gates]])

    @property
    def passes(self) -> bool:
        """Whether no gate fails."""
        return all(answer.verdict != "fail" for answer in self.answers)

    @property
    def next(self) -> tuple[str, ...]:
        """The commands to run next: approve if only that is missing, then promote. Empty if another gate fails."""
        no = {answer.gate for answer in self.answers if answer.verdict == "fail"}
        if no - {"approval"}:
            return ()
        promote = f"dataops promote --to {self.environment} --plan {self}"
        return (f"dataops approve {self}", promote) if no else (promote,)

    def __str__(self) -> str:
        return short(self.id)

    def to_plain(self) -> dict[str, Any]:
        """Return the plan as a JSON-like record, with id, verdict and next commands."""
        return {**plain_of(self), "id": self.id, "passes": self.passes, "next": list(self.next)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Plan:
        """Return the plan that `to_plain` wrote. Raises: ValueError for another record."""
        return record_of(cls, {key: value for key, value in plain.items() if key not in ("id", "passes", "next")})


def gate_answers(answers: Sequence[Answer]) -> tuple[GateAnswer, ...]:
    """Return answers as events of the ledger record them, without evidence."""
    return tuple(GateAnswer(gate=a.gate, verdict=a.verdict, message=a.message) for a in answers)
