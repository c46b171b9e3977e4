"""Dagster is imported only in files whose names say so, and in the package `orchestration`."""

from __future__ import annotations

import ast
from pathlib import Path

DAGSTER_FILES = frozenset(
    {"checks", "component", "io_manager", "jobs", "metadata", "resource", "scaffold", "schedules", "sensors"}
)


def imports_dagster(source: str) -> bool:
    """Whether a module imports Dagster when it runs; imports for type checkers alone do not count."""
    for_types = [
        inner
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    ]
    names = [
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom) and not any(ast.dump(node) == ast.dump(t) for t in for_types)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    ]
    return any(name.partition(".")[0].startswith("dagster") for name in names)


def offenders(package: Path) -> list[str]:
    """Modules outside the rule that import Dagster."""
    return [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if path.stem not in DAGSTER_FILES
        and path.relative_to(package).parts[0] != "orchestration"
        and imports_dagster(path.read_text())
    ]


def test_only_component_files_and_orchestration_import_dagster(root: Path) -> None:
    assert offenders(root / "dataops_platform") == []


def test_an_import_of_dagster_anywhere_else_is_reported(tmp_path: Path) -> None:
    for name in ("stages/run.py", "stages/component.py", "orchestration/launch.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("def later():\n    import dagster as dg\n    return dg\n")
    (tmp_path / "types.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dagster import Definitions\n"
    )
    assert offenders(tmp_path) == ["stages/run.py"]
