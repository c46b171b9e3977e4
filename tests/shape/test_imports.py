"""What an import costs, in fresh processes: nothing heavy until it is used."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import dataops_platform
from tests.shape.test_dagster_rule import DAGSTER_FILES

HEAVY = [
    "dagster_dbt",
    "dbt",
    "duckdb",
    "matplotlib",
    "mlflow",
    "numpy",
    "pandas",
    "pandera",
    "polars",
    "pyarrow",
    "skops",
    "sklearn",
    "sqlalchemy",
]


def loaded_by(code: str, heavy: list[str]) -> list[str]:
    """Which of the heavy packages a fresh process has loaded after running some code."""
    script = f"{code}\nimport sys\nprint([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return eval(done.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import dataops_platform", [*HEAVY, "dagster", "pydantic", "yaml"]) == []


def test_importing_every_plain_module_loads_nothing_heavy_and_no_dagster() -> None:
    modules = [
        m.name
        for m in pkgutil.walk_packages(dataops_platform.__path__, "dataops_platform.")
        if not m.ispkg and m.name.rpartition(".")[2] not in DAGSTER_FILES
    ]
    assert len(modules) > 40
    assert loaded_by(f"import {', '.join(modules)}", [*HEAVY, "dagster"]) == []


def test_loading_the_examples_definitions_loads_nothing_heavy(flights: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(flights / 'src')!r}); import flights.definitions as d; d.defs()"
    loaded_by(code, HEAVY)  # the first time dbt may have to parse
    assert loaded_by(code, HEAVY) == []


def test_a_heavy_import_would_be_seen() -> None:
    assert loaded_by("import dataops_platform, polars", HEAVY) == ["polars"]


def test_public_names_are_there_and_nothing_else_is_public() -> None:
    assert dir(dataops_platform) == sorted(dataops_platform.__all__)
    for name in dataops_platform.__all__:
        assert getattr(dataops_platform, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Extrct'"):
        importlib.import_module("dataops_platform").Extrct  # noqa: B018
