"""Writes `docs/reference/*.md` from the descriptions in the code: `make docs`. A test checks that nothing differs."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import dataops_platform
from dataops_platform.cli.main import app
from dataops_platform.cli.options import AsJson, ProjectFolder
from dataops_platform.kit.codes import KINDS, SUBJECTS, known_codes
from dataops_platform.kit.errors import sentences
from dataops_platform.settings.environ import NAMES
from dataops_platform.settings.project import DataOpsYaml

FOLDER = Path(__file__).with_name("reference")
COMPONENTS = ("Extract", "Clean", "Transform", "Train", "Score", "Publish", "Release", "Contract")
WORDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "date": "date", "Any": "any"}
_PROJECT, _JSON = (typing.get_args(option)[1] for option in (ProjectFolder, AsJson))
SHARED = {
    "--project": f"{_PROJECT.help.removesuffix('.')}; {_PROJECT.show_default} when not given.",
    "--json": _JSON.help,
    "--help": "Print what the command does, with an example.",
}
"""Options that are described once, for all commands."""
NOTE = "<!-- Written by docs/reference.py: change what it reads, then run `make docs`. -->"


def pages() -> dict[str, str]:
    """The text of each page of the reference, by file name."""
    made = {"yaml.md": yaml_page(), "commands.md": commands_page(), "errors.md": errors_page()}
    made["variables.md"] = variables_page()
    return {name: f"{NOTE}\n\n" + "\n".join(lines) + "\n" for name, lines in made.items()}


def roots() -> dict[str, type[BaseModel]]:
    """What people write in YAML: `dataops.yaml`, and the attributes of each component."""
    return {"dataops.yaml": DataOpsYaml} | {name: getattr(dataops_platform, name) for name in COMPONENTS}


def records(root: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A record, and those below it, each once, in the order of their keys."""
    waiting, seen = [root], set[type[BaseModel]]()
    while waiting:
        record = waiting.pop(0)
        if record not in seen:
            seen.add(record)
            yield record
            waiting += [one for field in record.model_fields.values() for one in _records_in(field.annotation)]


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in typing.get_args(annotation):
        yield from _records_in(inner)


def yaml_page() -> list[str]:
    """Each key of each record: what it holds, its default, what it means."""
    lines = [
        "# YAML keys",
        "",
        "Unknown keys are refused, with the nearest known one. Keys without a default must be given.",
        "The keys of a contract are in [contracts](../contracts.md).",
    ]
    told = set[type[BaseModel]]()
    for name, root in roots().items():
        title = f"`{name}`" if name.endswith(".yaml") else f"`dataops_platform.{name}`"
        lines += ["", f"## {title}", "", _first(root), *_keys(root)]
        for record in records(root):
            if record is not root and record not in told:
                told.add(record)
                lines += ["", f"### {record.__name__}", "", _first(record), *_keys(record)]
    return lines


def _keys(record: type[BaseModel]) -> list[str]:
    rows = ["", "| key | holds | default | what it is |", "|---|---|---|---|"]
    for name, field in record.model_fields.items():
        cells = (f"`{field.alias or name}`", _holds(field.annotation), _default(field), field.description or "")
        rows.append(_row(*cells))
    return rows


def _holds(annotation: Any) -> str:
    """A type in words."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _holds(inner[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_holds(one) for one in inner if one is not type(None))
    if origin is list:
        return f"list of {_holds(inner[0])}"
    if origin is dict:
        return f"{_holds(inner[1])} by name"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return WORDS[annotation.__name__]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"`{name}`" for name in value)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if isinstance(value, str | int | float) else "as below"


def leaves(command: Any = None, path: tuple[str, ...] = ("dataops",)) -> Iterator[tuple[str, Any]]:
    """Each command with its whole name, in alphabetical order."""
    command = command or typer.main.get_command(app)
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name in sorted(command.commands):
        yield from leaves(command.commands[name], (*path, name))


def commands_page() -> list[str]:
    """Each command: what it does, an example, its arguments and options."""
    lines = [
        "# Commands",
        "",
        "Exit codes: 0 done, 1 refused, 2 used wrongly, 3 lost a race, 4 the system failed, 130 stopped with Ctrl-C.",
        "Every command has `--help`, each that ends by itself `--json`, those in a project `--project`:",
        "",
        "| option | what it does |",
        "|---|---|",
        *(_row(f"`{option}`", what) for option, what in SHARED.items()),
    ]
    for name, command in leaves():
        said, _, example = (command.help or "").partition("Example: ")
        lines += ["", f"## `{name}`", "", " ".join(said.split()), "", "```bash", " ".join(example.split()), "```"]
        own = [parameter for parameter in command.params if parameter.opts[0] not in SHARED]
        if own:
            lines += ["", "| argument or option | default | what it is |", "|---|---|---|"]
        for parameter in own:
            lines.append(_row(_option(parameter), _standing(parameter), parameter.help or ""))
    return lines


def _option(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.name.upper()}`"
    takes = "" if parameter.is_flag else f" {parameter.type.name.upper().replace(' RANGE', '')}"
    return f"`{parameter.opts[0]}{takes}`"


def _standing(parameter: Any) -> str:
    """The default of a parameter."""
    if parameter.required:
        return "must be given"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    return "none" if parameter.default in (None, "", False, []) else f"`{parameter.default}`"


def errors_page() -> list[str]:
    """Each code: how a command ends with it, an example of its message, what to do."""
    lines = [
        "# Codes of messages",
        "",
        "`dataops explain CODE` prints the same. Names and numbers in the messages are examples.",
        "",
        "| exit status | meaning for the data |",
        "|---|---|",
        *(_row(str(kind.exit_code), kind.meaning) for kind in KINDS.values()),
    ]
    for letter, codes in groupby(known_codes().values(), key=lambda code: code.code[3]):
        head = ["| code | exit | message | what to do |", "|---|---|---|---|"]
        lines += ["", f"## {letter}: {SUBJECTS[letter]}", "", *head]
        for code in codes:
            example = code.filled(code.example)
            message = sentences(example.message, example.where)
            lines.append(_row(f"`{code.code}`", str(code.exit_code), message, sentences(example.fix)))
    return lines


def variables_page() -> list[str]:
    """Each environment variable."""
    lines = [
        "# Environment variables",
        "",
        "Read when a process starts.",
        "",
        "| variable | what it does |",
        "|---|---|",
    ]
    return lines + [_row(f"`{name}`", what) for name, what in NAMES.items()]


def undescribed() -> list[str]:
    """YAML keys, commands, arguments and options without a description."""
    keys = [key for root in roots().values() for record in records(root) for key in silent_keys(record)]
    words = [word for name, command in leaves() for word in silent_words(name, command)]
    return sorted({*keys, *words})


def silent_keys(record: type[BaseModel]) -> Iterator[str]:
    """Keys of a record without a description."""
    yield from (f"{record.__name__}.{name}" for name, field in record.model_fields.items() if not field.description)


def silent_words(name: str, command: Any) -> Iterator[str]:
    """A command without a description or an example, and its arguments and options without a description."""
    said, _, example = (command.help or "").partition("Example: ")
    if not said.strip() or not example.startswith(name):
        yield name
    yield from (f"{name} {parameter.opts[0]}" for parameter in command.params if not parameter.help)


def _first(record: type[BaseModel]) -> str:
    return " ".join((record.__doc__ or "").partition("\n\n")[0].split())


def _row(*cells: str) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _escaped(cell: str) -> str:
    """The text of a cell on one line; what is in backticks is code and not escaped."""
    parts = " ".join(cell.replace("|", "\\|").split()).split("`")
    return "`".join(part if i % 2 else part.replace("<", "\\<") for i, part in enumerate(parts))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, text in pages().items():
        (FOLDER / file).write_text(text)
