"""All sections about what a promotion would change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataops_platform.kit.digests import short
from dataops_platform.release.promotion.differences.age import age_section
from dataops_platform.release.promotion.differences.code import code_section, settings_section, sql_section
from dataops_platform.release.promotion.differences.contracts import contract_changes, contracts_in, contracts_section
from dataops_platform.release.promotion.differences.models import models_section
from dataops_platform.release.promotion.differences.rows import rows_section
from dataops_platform.release.promotion.differences.section import Section, section
from dataops_platform.release.promotion.gates.question import Question
from dataops_platform.release.release import Release, find_release

SECTIONS = ("before", "code", "sql", "settings", "contracts", "rows", "models", "age")
"""The sections of a plan, in the order in which they are shown."""


def differences(question: Question, known: Mapping[str, Any] | None = None) -> dict[str, Section]:
    """Return the sections of a plan by name.

    `known` has the sections of an earlier equal plan. Its rows are not read again while the environment shows the same.
    """
    project, release = question.project, question.release
    before = release_shown(question)
    first = before_section(question)
    if known and known.get("before") == first:
        rows = known["rows"]
    else:
        rows = rows_section(question, contracts_in(project, before), contracts_in(project, release))
    changes = contract_changes(project, before, release, question.now)
    return {
        "before": first,
        "code": code_section(project.root, before, release),
        "sql": sql_section(project.root, before, release),
        "settings": settings_section(project.root, before, release),
        "contracts": contracts_section(changes),
        "rows": rows,
        "models": models_section(question),
        "age": age_section(question),
    }


def release_shown(question: Question) -> Release | None:
    """Return the release that the environment shows, or None."""
    return find_release(question.lake, question.state.release) if question.state.release else None


def before_section(question: Question) -> Section:
    """Return the section about what the environment shows now, which the differences refer to."""
    state = question.state
    if not state.cut.members:
        return section(f"{state.environment} shows nothing yet: this is the first promotion.")
    held = ", held since a rollback" if state.held else ""
    release = short(state.release) or "none"
    return section(f"{state.environment} shows release {release}, publication {short(state.publication)}{held}.")
