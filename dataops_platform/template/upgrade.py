"""What the template of the installed package would change in a project that an older one made."""

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
class Change:
    """A file that a newer template makes, changes or gives up, and whether it was edited here since it was made."""

    file: str
    what: str
    edited: bool


@dataclass(frozen=True)
class Newer:
    """The versions of the template a project was made from and that is installed, and the files that differ."""

    made_from: str
    installed: str
    changes: tuple[Change, ...]


def newer_template(project: Path) -> Newer | None:
    """What differs; nothing when the project was not made from the template.

    Raises: UsedWrongly DP-N004 when what the project says of its making cannot be read.
    """
    path = project / MADE_FROM
    if not path.is_file():
        return None
    try:
        made = json.loads(path.read_text())
        version, answers, then = str(made["_template_version"]), dict(made["answers"]), dict(made["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise UsedWrongly("DP-N004", file=MADE_FROM, reason=error) from None
    asked = {question.name: answers.get(question.name, question.default) for question in questions()}
    with tempfile.TemporaryDirectory() as scratch:
        rendered = json.loads((render(asked, Path(scratch)) / MADE_FROM).read_text())
    now = rendered["files"]
    found = [
        Change(name, _what(name, then, now), _digest(project / name) != then.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name) and _digest(project / name) != now.get(name)
    ]
    return Newer(version, rendered["_template_version"], tuple(found))


def _what(name: str, then: dict[str, str], now: dict[str, str]) -> str:
    if name not in then:
        return "new"
    return "changed" if name in now else "given up"


def _digest(path: Path) -> str | None:
    return digest_of_file(path) if path.is_file() else None
