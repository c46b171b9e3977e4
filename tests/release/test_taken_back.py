"""A bad release of the small project is taken back; on a year of flights, with a model: `journeys/test_release.py`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.pinned_code.pin import pinned_project
from dataops_platform.release.release import find_release
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import Said, commit_all, git
from tests.fixtures.orders import committed_with

GATED = """
roles: {release-manager: ["*"]}
environments:
  dev: {}
  staging: {from: dev, gates: [contracts, checks, no_breaking_change]}
  prod: {from: staging, gates: [contracts, no_breaking_change, {approval: {by: ["role:release-manager"]}}]}
"""
WAIVED = 'no_breaking_change: {waived: {by: role:release-manager, why: "a rehearsal", until: 2100-01-01}}'


@pytest.fixture
def project(published: Path) -> Path:
    """The small project after its first run, in git, with gates before staging and prod."""
    return committed_with(published, GATED)


@pytest.mark.journey
def test_a_bad_release_is_taken_back_by_one_command_and_stays_away(project: Path, dataops: Callable[..., Said]) -> None:
    def do(*arguments: str, exit_code: int = 0) -> Said:
        said = dataops(*arguments)
        assert said.exit_code == exit_code, said.text
        return said

    def release() -> str:
        """Builds a release and brings it to prod, where it waits for an approval and for nothing else."""
        built: str = do("release", "build", "--json").json["id"]
        assert do("release", "build", "--json").json["id"] == built, "the same contents give the same release"
        do("promote", "--to", "staging")
        plan = do("plan", "--to", "prod", "--json", exit_code=1).json
        assert [answer["gate"] for answer in plan["answers"] if answer["verdict"] == "fail"] == ["approval"]
        do("promote", "--to", "prod", "--plan", plan["id"], exit_code=1)
        do("approve", plan["id"], "--why", "seen and wanted")
        do("promote", "--to", "prod", "--plan", plan["id"])
        return built

    first = release()
    good = shown(project)
    assert good["release"] == first

    edit(project / "src" / "orders_project" / "cleaning.py", "strip_chars()", "to_uppercase()")
    edit(project / "contracts" / "monthly_sales.odcs.yaml", ", logicalTypeOptions: {maximum: 1000}", "")
    commit_all(project, "Names that shout, and a contract that allows anything")
    do("run")
    do("release", "build")
    refused = do("promote", "--to", "staging", exit_code=1)
    assert ("DP-G001" in refused.text, "no_breaking_change" in refused.text) == (True, True)
    assert shown(project) == good

    edit(project / "dataops.yaml", "no_breaking_change", WAIVED)
    commit_all(project, "Let it pass")
    do("run")
    bad = release()
    broken = shown(project)
    assert broken["release"] == bad
    assert {what for what in good if good[what] != broken[what]} == set(good), "all that a release moves has moved"

    do("rollback", "prod")
    assert shown(project) == good
    assert "DP-P103" in do("run", "--env", "prod", exit_code=1).text
    assert shown(project) == good
    do("resume", "prod")
    do("run", "--env", "prod")
    assert shown(project) == good, "a scheduled publication runs the code of the release that is shown"
    do("ledger", "verify")


def shown(folder: Path) -> dict[str, Any]:
    """What prod shows: release, rows, contracts, settings, code."""
    project = load_project(folder, "prod")
    with lake_of(project, read_only=True) as lake:
        state = lake.state("prod")
        release = find_release(lake, state.release)
        return {
            "release": state.release,
            "rows": str(digests(lake.connection, "lake.prod.customers", [""])[""]),
            "contracts": dict(release.contracts),
            "settings": release.config,
            "code": (state.code, git(pinned_project(project, lake).root, "rev-parse", "HEAD")),
        }


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
