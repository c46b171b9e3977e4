"""What the installed template would change in a project that an older one made."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.digests import digest_of_file
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.template.bake import MADE_FROM, render
from dataops_platform.template.questions import questions


@dataclass(frozen=True)
class FileChange:
    """A file that the newer template adds, changes or removes, and whether it was edited since it was made."""

    file: str
    what: str
    edited: bool


@dataclass(frozen=True)
class TemplateUpgrade:
    """The version of the template that made a project, the installed version, and the files that differ."""

    made_from: str
    installed: str
    changes: tuple[FileChange, ...]


def template_upgrade(project: Path) -> TemplateUpgrade | None:
    """Return what the installed template would change; None when the project was not made from the template.

    Raises: UsedWrongly DP-N004 when the project's record of its template cannot be read.
    """
    path = project / MADE_FROM
    if not path.is_file():
        return None
    try:
        origin = json.loads(path.read_text())
        version, answers, then = str(origin["_template_version"]), dict(origin["answers"]), dict(origin["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsedWrongly("DP-N004", file=MADE_FROM, reason=error) from None
    asked = {question.name: answers.get(question.name, question.default) for question in questions()}
    with tempfile.TemporaryDirectory() as scratch:
        rendered = json.loads((render(asked, Path(scratch)) / MADE_FROM).read_text())
    now = rendered["files"]
    found = [
        FileChange(name, _what(name, then, now), _digest(project / name) != then.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name) and _digest(project / name) != now.get(name)
    ]
    return TemplateUpgrade(version, rendered["_template_version"], tuple(found))


def _what(name: str, then: dict[str, str], now: dict[str, str]) -> str:
    if name not in then:
        return "new"
    return "changed" if name in now else "removed"


def _digest(path: Path) -> str | None:
    return digest_of_file(path) if path.is_file() else None
