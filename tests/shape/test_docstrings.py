"""Everything public says what it gives."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer.main

from dataops_platform.settings.project import DataOpsYaml
from dataops_platform.stages.extract.component import ExtractTable
from dataops_platform.stages.train.component import Span
from docs import reference

PLAIN_PROPERTIES = {
    *("makes", "reads", "config", "code", "rows_in", "rows_audited", "rows_refused", "steps", "run", "name"),
}


def silent(path: Path) -> Iterator[str]:
    """Public modules, classes and functions of a file without a docstring."""
    tree = ast.parse(path.read_text())
    if not ast.get_docstring(tree):
        yield path.name
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            members = [n for n in node.body if isinstance(n, ast.FunctionDef)]
        elif isinstance(node, ast.Module):
            members = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]  # type: ignore[misc]
        else:
            continue
        for member in members:
            if (
                not member.name.startswith("_")
                and member.name not in PLAIN_PROPERTIES
                and not ast.get_docstring(member)
                and "overload" not in map(ast.unparse, member.decorator_list)
            ):
                yield f"{path.name}:{member.lineno} {member.name}"


def test_everything_public_is_documented(root: Path) -> None:
    found = [name for path in sorted((root / "dataops_platform").rglob("*.py")) for name in silent(path)]
    assert found == []


def test_a_missing_docstring_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text('"""A module."""\n\n\ndef shown():\n    return 1\n\n\ndef _hidden():\n    return 2\n')
    assert list(silent(path)) == ["module.py:4 shown"]


def test_every_yaml_key_command_argument_and_option_is_described() -> None:
    assert reference.undescribed() == []


def test_a_missing_description_would_be_seen() -> None:
    class Wider(DataOpsYaml):
        said: int = 0
        """Something."""
        new_key: int = 0

    app = typer.Typer()

    @app.command()
    def move(to: str, fast: Annotated[bool, typer.Option(help="Hurry.")] = False) -> None:
        """Moves."""

    assert list(reference.silent_keys(Wider)) == ["Wider.new_key"]
    command = typer.main.get_command(app)
    assert list(reference.silent_words("move", command)) == ["move", "move to"]
    assert {DataOpsYaml, ExtractTable, Span} <= {
        record for root in reference.roots().values() for record in reference.records(root)
    }
