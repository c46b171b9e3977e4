"""The questions of the template, and their valid answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from dataops_platform.kit.errors import UsedWrongly, did_you_mean, preview
from dataops_platform.settings.project import table_name

MAX_LENGTH = 40
"""The longest answer, in characters."""

NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
TEAM = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True)
class TemplateQuestion:
    """A question, its default answer, and the answers to choose from (empty: any valid one)."""

    name: str
    prompt: str
    default: str
    choices: Mapping[str, str]


def template_folder() -> Path:
    """Return the template's folder: in the installed package, else beside the package in its repository."""
    inside = Path(str(files("dataops_platform"))) / "project_template"
    return inside if inside.is_dir() else inside.parent.parent / "project_template"


def template_settings() -> dict[str, Any]:
    """Return the content of the template's `cookiecutter.json`."""
    found: dict[str, Any] = json.loads((template_folder() / "cookiecutter.json").read_text())
    return found


def questions() -> list[TemplateQuestion]:
    """Return all questions in order."""
    settings = template_settings()
    prompts = settings["__prompts__"]
    found = []
    for name, default in settings.items():
        if name.startswith("_"):
            continue
        prompt = prompts[name]
        if isinstance(default, str):
            found.append(TemplateQuestion(name, prompt, default, {}))
        else:
            labels = {choice: prompt[choice] for choice in default}
            found.append(TemplateQuestion(name, prompt["__prompt__"], default[0], labels))
    return found


def checked_answer(question: TemplateQuestion, answer: str) -> str:
    """Return `answer` when it is valid. Raises: UsedWrongly DP-N001."""
    wrong = _wrong(question, answer)
    if wrong:
        raise UsedWrongly("DP-N001", question=question.name, answer=preview([repr(answer)], width=60), reason=wrong)
    return answer


def _wrong(question: TemplateQuestion, answer: str) -> str:
    if question.choices:
        return "" if answer in question.choices else did_you_mean(answer, question.choices)
    if len(answer) > MAX_LENGTH or not (NAME if question.name == "name" else TEAM).fullmatch(answer):
        return f"use lower-case letters, digits and single dashes, a letter first, at most {MAX_LENGTH}"
    try:
        return "" if question.name != "name" else _name_conflict(table_name(answer.replace("-", "_")))
    except ValueError as error:
        return str(error)


def _name_conflict(package: str) -> str:
    """Return why a project's package cannot have this name: a Python keyword, or an importable module; else an empty
    text.
    """
    import keyword
    from importlib.util import find_spec

    if keyword.iskeyword(package):
        return f"{package!r} is a word of Python"
    return f"Python knows another module {package!r}" if find_spec(package) else ""
