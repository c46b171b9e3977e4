"""The question that a gate answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dataops_platform.manifests.manifest import Head
from dataops_platform.release.promotion.plan import Answer, GateVerdict
from dataops_platform.release.release import Release
from dataops_platform.settings.environments import WaivableGate
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.state import State


@dataclass(frozen=True)
class Question:
    """The question whether `release` may replace what `state` shows.

    `heads` are the members of the release with their manifests, `shown` those of the environment. `plan` is the id of
    the plan, `asked_by` the person who plans or promotes, and `now` an aware time in UTC. `project` is the present
    checkout in the target environment.
    """

    project: Project
    lake: Lake
    release: Release
    state: State
    heads: Mapping[str, Head]
    shown: Mapping[str, Head]
    plan: str
    asked_by: str
    now: datetime


GateFunction = Callable[[Question, Any], Answer]
"""Answers a question. Its second argument is the gate's settings, a record of `settings.environments`."""


def answer(gate: str, holds: bool, message: str, **evidence: Any) -> Answer:
    """Return an answer: a pass if `holds`, else a failure."""
    verdict: GateVerdict = "pass" if holds else "fail"
    return Answer(gate, verdict, message, evidence)


def waived(given: Answer, settings: WaivableGate, now: datetime) -> Answer:
    """Return a failure as waived while its waiver lasts. Other answers stay; an ended waiver is named in the text."""
    waiver = settings.waived
    if given.verdict != "fail" or waiver is None:
        return given
    if waiver.until < now.date():
        return replace(given, message=f"{given.message}; the waiver by {waiver.by} ended on {waiver.until}")
    evidence = {**given.evidence, "waived": [waiver.model_dump(mode="json")]}
    message = f"{given.message}; waived by {waiver.by} until {waiver.until}: {waiver.why}"
    return Answer(given.gate, "waived", message, evidence)
