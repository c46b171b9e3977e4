"""A project's Dagster definitions, loaded in this process."""

from __future__ import annotations

import importlib
import tomllib
from typing import TYPE_CHECKING, cast

from dataops_platform.kit.errors import DataOpsError, UsedWrongly
from dataops_platform.orchestration.defs_files import refuse_misspelt_defs
from dataops_platform.orchestration.import_path import use_source_of
from dataops_platform.settings.environ import set_environment
from dataops_platform.settings.project import Project

if TYPE_CHECKING:
    from dagster import Definitions


def load_definitions(project: Project) -> Definitions:
    """Return what `<root_module>.definitions` defines, for the project's environment.

    Raises: UsedWrongly DP-R001 when `pyproject.toml` names no root module, DP-R002 when the definitions do not load,
    and what `refuse_misspelt_defs` raises. An error of the platform passes unchanged.
    """
    root_module = _root_module(project)
    set_environment(project.environment)
    use_source_of(project)
    try:
        defs = importlib.import_module(f"{root_module}.definitions").defs
        return cast("Definitions", defs() if callable(defs) else defs)
    except DataOpsError:
        raise
    except Exception as error:
        known = _platform_error(error)
        if known is not None:
            raise known from error
        refuse_misspelt_defs(project.root / "src")
        message = _last_words(error).replace(f"{project.root}/", "")
        raise UsedWrongly("DP-R002", module=root_module, reason=message) from error


def _root_module(project: Project) -> str:
    path = project.root / "pyproject.toml"
    try:
        return str(tomllib.loads(path.read_text())["tool"]["dg"]["project"]["root_module"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UsedWrongly("DP-R001", project=project.root.name) from error


def _platform_error(error: BaseException | None) -> DataOpsError | None:
    while error is not None:
        if isinstance(error, DataOpsError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _last_words(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"
