"""Code locations: each environment has the code that runs there."""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform import locations
from dataops_platform.settings.environ import known_lock
from tests.fixtures.command_line import commit_all, git

pytestmark = pytest.mark.journey

Load = Callable[[str], dg.Definitions]


def said_of_release(defs: dg.Definitions, environment: str) -> str:
    """How Dagster's pages describe the release of an environment."""
    key = dg.AssetKey([environment, "release"])
    return next(str(spec.description) for spec in defs.resolve_all_asset_specs() if spec.key == key)


def test_a_location_has_the_commit_that_its_environment_shows_whatever_is_checked_out(
    project: Path, location: Load, dataops: Callable[..., Any]
) -> None:
    assert "No release is shown yet: this is the code that is checked out" in said_of_release(
        location("staging"), "staging"
    )
    commit = git(project, "rev-parse", "HEAD")
    assert dataops("promote", "--to", "staging").exit_code == 0
    function = project / "src" / "orders_project" / "cleaning.py"
    function.write_text(function.read_text() + "\nEDITED = True\n")
    commit_all(project, "Edited")
    assert f"Code: commit {commit[:12]}." in said_of_release(location("staging"), "staging")
    cleaning = importlib.import_module("orders_project.cleaning")
    assert not hasattr(cleaning, "EDITED")
    assert Path(str(cleaning.__file__)).is_relative_to(project / ".dataops" / "code" / commit)
    location("dev")
    assert hasattr(importlib.import_module("orders_project.cleaning"), "EDITED"), "dev has what is checked out"


def test_an_environment_is_an_attribute_of_the_module_whose_working_directory_holds_the_project(
    project: Path, location: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    location("dev")
    monkeypatch.setattr(locations, "_FOLDER", project)
    defs = locations.prod
    assert {spec.key.path[0] for spec in defs.resolve_all_asset_specs()} == {"prod"}
    assert defs is locations.prod
    with pytest.raises(AttributeError):
        _ = locations._prod


def test_dagsters_warning_of_names_is_not_said_and_others_are(location: Load, caplog: pytest.LogCaptureFixture) -> None:
    location("dev")
    logger = logging.getLogger("dagster.components.core.component_tree")
    with caplog.at_level(logging.WARNING, logger.name):
        logger.warning("Update `code_location_name` under [tool.dg.project]")
        logger.warning("Something else")
    assert [record.message for record in caplog.records] == ["Something else"]


def test_a_code_server_tells_its_runs_what_its_interpreter_is_right_for(
    project: Path, location: Load, dataops: Callable[..., Any]
) -> None:
    (project / "uv.lock").write_text("version = 1\n")
    commit_all(project, "Locked")
    assert dataops("release", "build").exit_code == 0
    assert dataops("promote", "--to", "staging").exit_code == 0
    assert known_lock() == ("", "")
    location("staging")
    (project / "uv.lock").write_text("version = 1\n# edited\n")
    location("staging")
    assert all(part.startswith("sha256:") for part in known_lock())


def test_what_is_no_code_server_does_not_start_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataops_platform.kit.errors import SystemFailed
    from dataops_platform.release.pinned_code.pin import Pinned

    other = Pinned(project, project / ".dataops" / "environments" / "other" / "bin" / "python")
    with pytest.raises(SystemFailed, match="DP-R015"):
        locations._restart(other)
    started: list[Any] = []
    monkeypatch.setattr("os.execv", lambda *command: started.append(command))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "dagster", "api", "grpc", "--port", "1"])
    locations._restart(other)
    assert started == [(other.python, [str(other.python), "-m", "dagster", "api", "grpc", "--port", "1"])]


def test_a_name_that_is_no_environment_is_no_attribute_so_that_skops_may_ask_for_any(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from dataops_platform import locations; import skops.io; print(getattr(locations, 'agm', 'none'))"
    for folder in (project, tmp_path):
        done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("none\n", "")
    monkeypatch.setattr(locations, "_FOLDER", project)
    with pytest.raises(AttributeError, match=r"DP-P004 .* no environment 'prodd'; did you mean 'prod'"):
        _ = locations.prodd
    with pytest.raises(AttributeError, match=r"DP-P006 'Prod' cannot name an environment"):
        _ = locations.Prod
