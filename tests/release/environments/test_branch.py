"""Branch environments: they show what another shows, build what changed, and leave no trace in the other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.orchestration.instance import open_instance
from dataops_platform.release.environments.branch import create_branch, drop_branch, environments
from dataops_platform.settings.environ import variables_with
from dataops_platform.settings.project import Project, load_project
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.heads import read_manifests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from tests.fixtures import lakes
from tests.fixtures.command_line import Said
from tests.fixtures.lakes import session_of

pytestmark = pytest.mark.journey

Run = Callable[..., Any]
FUNCTION = "src/orders_project/cleaning.py"
MART = "dbt/models/monthly_sales.sql"


@pytest.fixture
def project(published: Path) -> Project:
    """The small project after its first run: dev shows three tables."""
    return load_project(published)


@pytest.fixture
def lake(project: Project) -> Iterator[Lake]:
    """Its lake."""
    with lake_of(project) as opened:
        yield opened


def test_a_branch_shows_what_its_origin_shows_and_copies_nothing(project: Project, lake: Lake) -> None:
    dev = lake.state("dev")
    files = sorted(p for p in (project.state_dir / "data").rglob("*.parquet"))
    state, is_new = create_branch(session_of(project, lake), "pr_12", "dev")
    assert (is_new, state.publication, state.release, state.code, state.held) == (
        True,
        dev.publication,
        dev.release,
        dev.code,
        False,
    )
    assert {m.area for m in state.cut.members} == {"dev"}
    assert sorted(p for p in (project.state_dir / "data").rglob("*.parquet")) == files
    query = "select * from lake.{}.monthly_sales order by all"
    assert lake.connection.sql(query.format("pr_12")).fetchall() == lake.connection.sql(query.format("dev")).fetchall()
    assert set(lake.heads("pr_12")) == set(lake.heads("dev")), "also the raw tables, which nobody shows"
    assert project.at("pr_12").is_guarded is False


def test_made_twice_it_is_one_and_from_another_origin_it_is_refused(project: Project, lake: Lake) -> None:
    first, _ = create_branch(session_of(project, lake), "pr_12", "dev")
    (project.state_dir / "branches" / "pr_12").unlink()  # as on another machine
    assert create_branch(session_of(project, lake), "pr_12", "dev") == (first, False)
    assert project.at("pr_12").environment == "pr_12"
    create_branch(session_of(project, lake), "pr_13", "pr_12")
    with pytest.raises(Refused, match=r"^DP-P022 pr_12 already exists, created from dev by"):
        create_branch(session_of(project, lake), "pr_12", "pr_13")


def test_names_that_cannot_be_and_origins_that_show_nothing_are_refused(project: Project, lake: Lake) -> None:
    def code(name: str, origin: str = "dev") -> str:
        with pytest.raises((Refused, UsedWrongly)) as caught:
            create_branch(session_of(project, lake), name, origin)
        return caught.value.code

    assert (code("dev"), code("PR"), code("a__b")) == ("DP-P020", "DP-P006", "DP-P006")
    assert code("pr_12", "prd") == "DP-P004"
    create_branch(session_of(project, lake), "pr_12", "dev")
    drop_branch(session_of(project, lake), "pr_12")
    (project.state_dir / "branches" / "pr_12").touch()
    assert code("pr_13", "pr_12") == "DP-P021"
    with pytest.raises(UsedWrongly, match=r"^DP-P023"):
        drop_branch(session_of(project, lake), "dev")
    with pytest.raises(UsedWrongly, match=r"^DP-P004"):
        drop_branch(session_of(project, lake), "pr_14")
    assert lake.environments() == ["dev", "pr_12"]


def test_a_dropped_branch_leaves_its_ledger_and_can_be_made_anew(project: Project, lake: Lake) -> None:
    create_branch(session_of(project, lake), "pr_12", "dev")
    foreign_write.stand_in(lake, "pr_12", ["orders"])
    scored = lakes.write(lake, "predictions", "select 1 as id", environment="pr_12__candidate")
    with open_instance(project) as instance:
        for name in ("pr_12", "dev"):
            instance.report_runless_asset_event(dg.AssetMaterialization([name, "orders"]))
    dropped = drop_branch(session_of(project, lake), "pr_12")
    with open_instance(project) as instance:
        assert not instance.get_asset_keys(prefix=["pr_12"])
        assert instance.get_asset_keys(prefix=["dev"])
    assert lake.heads("pr_12__candidate") == {}
    assert read_manifests(lake.connection, [scored.manifests[0].id]), "what was recorded can be looked up"
    assert lakes.rows(lake, scored, "pr_12__candidate") == [(1,)], "and read, until it is collected"
    assert (dropped.was_there, dropped.models) == (True, "none")
    schemas = [name for (name,) in lake.connection.execute("select schema_name from duckdb_schemas()").fetchall()]
    assert not [name for name in schemas if name.startswith("pr_12")]
    assert [event.kind for event in lake.events("pr_12")] == ["creation", "drop"]
    assert (lake.state("pr_12").cut.members, lake.heads("pr_12")) == ((), {})
    with pytest.raises(UsedWrongly):
        project.at("pr_12")
    (project.state_dir / "branches" / "pr_12").touch()
    assert drop_branch(session_of(project, lake), "pr_12").was_there is False, "a second call has nothing to do"
    state, is_new = create_branch(session_of(project, lake), "pr_12", "dev")
    assert (is_new, state.publication) == (True, lake.state("dev").publication)


@pytest.mark.journey
def test_a_branch_of_a_branch_stays_readable_when_that_is_dropped(project: Project, lake: Lake, dataops: Run) -> None:
    create_branch(session_of(project, lake), "pr_12", "dev")
    (project.root / FUNCTION).write_text(
        (project.root / FUNCTION).read_text().replace("strip_chars()", "strip_chars().str.to_uppercase()")
    )
    assert dataops("run", "--env", "pr_12").exit_code == 0
    create_branch(session_of(project, lake), "pr_13", "pr_12")
    drop_branch(session_of(project, lake), "pr_12")
    names = lake.connection.sql("select name from lake.pr_13.customers order by 1").fetchall()
    assert names == [("ANN",), ("BOB",), ("CID",)]


@pytest.mark.parametrize("fault", ["creation.before_write", "creation.before_commit", "creation.after_commit"])
def test_a_process_killed_while_it_makes_one_leaves_all_of_it_or_nothing(
    fault: str, project: Project, published: Path
) -> None:
    assert killed(published, "create", fault) == -9
    with lake_of(project) as lake:
        shown = len(lake.state("pr_12").cut.members)
        assert shown == (3 if fault == "creation.after_commit" else 0)
        create_branch(session_of(project, lake), "pr_12", "dev")
        assert len(lake.state("pr_12").cut.members) == 3
        assert [event.kind for event in lake.events("pr_12")] == ["creation"]
    assert project.at("pr_12")


@pytest.mark.parametrize("fault", ["drop.before_write", "drop.before_commit", "drop.after_commit"])
def test_a_process_killed_while_it_drops_one_leaves_all_of_it_or_nothing(
    fault: str, project: Project, published: Path
) -> None:
    with lake_of(project) as lake:
        create_branch(session_of(project, lake), "pr_12", "dev")
    assert killed(published, "drop", fault) == -9
    with lake_of(project) as lake:
        assert len(lake.state("pr_12").cut.members) == (0 if fault == "drop.after_commit" else 3)
        drop_branch(session_of(project, lake), "pr_12")
        assert [event.kind for event in lake.events("pr_12")] == ["creation", "drop"]
    assert not (project.state_dir / "branches" / "pr_12").exists()


def test_the_list_says_what_each_environment_is_for(project: Project, lake: Lake) -> None:
    create_branch(session_of(project, lake), "pr_12", "dev")
    publication = lake.state("dev").publication
    rows = [(row["environment"], row["kind"], row["from"], row["publication"]) for row in environments(project, lake)]
    assert rows == [("dev", "open", "", publication), ("pr_12", "branch", "dev", publication)]


@pytest.mark.journey
def test_a_run_in_a_branch_builds_what_changed_and_touches_nobody_else(in_git: Path, dataops: Run) -> None:
    for command in (("release", "build"), ("promote", "--to", "staging"), ("promote", "--to", "prod")):
        assert dataops(*command).exit_code == 0
    assert dataops("env", "create", "pr_12", "--from", "prod").exit_code == 0
    made = {"raw_customers", "raw_orders", "customers", "orders", "monthly_sales"}
    assert unchanged(dataops("run", "--env", "pr_12")) == made | {"publication"}, "prod has what this code makes"

    (in_git / MART).write_text((in_git / MART).read_text().replace("sum(amount)", "2 * sum(amount)"))
    assert unchanged(dataops("run", "--env", "pr_12")) == made - {"monthly_sales"}
    query = "select sum(amount) as amount from monthly_sales"
    amounts = {e: dataops("sql", query, "--env", e, "--json").json[0]["amount"] for e in ("dev", "prod", "pr_12")}
    assert amounts["pr_12"] == 2 * amounts["prod"] == 2 * amounts["dev"]

    assert dataops("env", "drop", "pr_12", "--json").json == {
        "environment": "pr_12",
        "was_there": True,
        "models": "none",
    }
    assert dataops("run", "--env", "pr_12").exit_code == 2
    assert dataops("ledger", "verify").exit_code == 0
    assert dataops("sql", query, "--env", "prod", "--json").json[0]["amount"] == amounts["prod"]


def unchanged(said: Said) -> set[str]:
    """What a run found to be as it was."""
    assert said.exit_code == 0, said.text
    return {line.split()[1] for line in said.out.splitlines() if line.endswith("unchanged")}


SCRIPT = """
import sys
from pathlib import Path
from dataops_platform.release.environments.branch import create_branch, drop_branch
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse.session import open_session

project = load_project(Path(sys.argv[1]))
with open_session(project) as session:
    if sys.argv[2] == "create":
        create_branch(session, "pr_12", "dev")
    else:
        drop_branch(session, "pr_12")
"""


def killed(project: Path, what: str, fault: str) -> int:
    command = [sys.executable, "-c", SCRIPT, str(project), what]
    return subprocess.run(command, env=variables_with(DATAOPS_FAULTS=fault), check=False).returncode
