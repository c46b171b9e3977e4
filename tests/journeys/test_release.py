"""The story of a release on flights: through the gates to prod, prod broken by a worse model and a looser contract,
and one command that brings back data, model, contracts, settings and code.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.release import find_release
from dataops_platform.settings.project import load_project
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import Said, run_dataops
from tests.fixtures.flights import Year, edit

pytestmark = pytest.mark.journey

WAIVED = '{waived: {by: role:release-manager, why: "a rehearsal of a bad release", until: 2100-01-01}}'


@pytest.fixture
def project(own_year: Year) -> Path:
    """The example in its repository, after its first run."""
    return own_year.project


def test_a_bad_release_is_taken_back_by_one_command_and_stays_away(project: Path) -> None:
    def dataops(*arguments: str, exit_code: int = 0) -> Said:
        said = run_dataops(project, *arguments)
        assert said.exit_code == exit_code, said.out + said.err
        return said

    first = dataops("release", "build", "--json").json["id"]
    assert dataops("release", "build", "--json").json["id"] == first, "the same contents give the same release"
    dataops("promote", "--to", "staging")
    approve_and_promote(dataops)
    good = shown(project)
    assert good["release"] == first

    shuffled = "model.fit(features, target.sample(frac=1, random_state=0))"
    edit(project, "src/flights/delay.py", "model.fit(features, target)", shuffled)
    edit(project, "contracts/delay_predictions.odcs.yaml", "minimum: 0, maximum: 1", "minimum: 0")
    commit(project, "A model that has learnt nothing, and a contract that allows anything")
    dataops("run")
    bad = dataops("release", "build", "--json").json["id"]
    said = dataops("promote", "--to", "staging", exit_code=1)
    assert "DP-G001" in said.text
    assert "model_not_worse" in said.text
    assert "no_breaking_change" in said.text
    assert shown(project) == good

    edit(project, "dataops.yaml", "model_not_worse", f"model_not_worse: {WAIVED}")
    edit(project, "dataops.yaml", "no_breaking_change", f"no_breaking_change: {WAIVED}")
    commit(project, "Let it pass")
    dataops("run")
    bad = dataops("release", "build", "--json").json["id"]
    dataops("promote", "--to", "staging")
    approve_and_promote(dataops)
    broken = shown(project)
    assert broken["release"] == bad
    different = {what for what in good if good[what] != broken[what]}
    assert different == set(good), "all that a release moves has moved"

    dataops("rollback", "prod")
    assert shown(project) == good

    assert "DP-P103" in dataops("run", "--env", "prod", exit_code=1).text
    assert shown(project) == good
    dataops("resume", "prod")
    dataops("run", "--env", "prod")
    assert shown(project) == good, "a scheduled publication runs the code of the release that is shown"
    dataops("ledger", "verify")


def approve_and_promote(dataops: Callable[..., Said]) -> None:
    """Asks for a plan to prod, which waits for an approval and for nothing else; approves and carries it out."""
    plan = dataops("plan", "--to", "prod", "--json", exit_code=1).json
    assert [answer["gate"] for answer in plan["answers"] if answer["verdict"] == "fail"] == ["approval"]
    dataops("promote", "--to", "prod", "--plan", plan["id"], exit_code=1)
    dataops("approve", plan["id"], "--why", "seen and wanted")
    dataops("promote", "--to", "prod", "--plan", plan["id"])


def shown(folder: Path) -> Mapping[str, Any]:
    """All that prod shows: release, data, model, contracts, settings, code."""
    project = load_project(folder, "prod")
    with lake_of(project, read_only=True) as lake:
        state = lake.state("prod")
        release = find_release(lake, state.release)
        tables = [m.name for m in state.cut.members if m.kind == "table"]
        data = {name: str(digests(lake.connection, f"lake.prod.{name}", [""])[""]) for name in tables}
        pinned = pinned_code(project, lake)
    client = open_tracking(project).client
    champion = client.get_model_version_by_alias(model_name(project, "delay"), "champion")
    return {
        "release": state.release,
        "predictions": data["delay_predictions"],
        "model": (champion.version, champion.tags["dataops.digest"]),
        "contracts": dict(release.contracts),
        "settings": release.config,
        "code": (state.code, pinned),
    }


def pinned_code(project: Any, lake: Any) -> str:
    """The commit of the code that prod's location runs."""
    from dataops_platform.release.pinned_code.pin import pinned_project

    return git(pinned_project(project, lake).root, "rev-parse", "HEAD").strip()


def commit(folder: Path, why: str) -> None:
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "--quiet", "-m", why)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
