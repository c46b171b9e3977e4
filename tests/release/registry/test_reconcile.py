"""MLflow follows the ledger: nothing is registered twice, and what a hand changed is put back and written down."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.promotion.switch import roll_back
from dataops_platform.release.reconciliation.reconcile import follow_switch, reconcile
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.lakes import session_of

pytestmark = pytest.mark.journey

NAME = "prod.guest.stays"
POINTS = ["before_register", "after_register", "before_alias", "after_alias", "before_anchor"]


def versions(project: Project, name: str = NAME) -> list[tuple[str, str, str]]:
    """Version, digest and release of each version of a model."""
    found = open_tracking(project).client.search_model_versions(f"name = '{name}'")
    return sorted((str(v.version), v.tags.get("dataops.digest", ""), v.tags.get("dataops.release", "")) for v in found)


def aliases(project: Project, name: str = NAME) -> dict[str, str]:
    """What each alias of a model points at."""
    return {a: str(v) for a, v in open_tracking(project).client.get_registered_model(name).aliases.items()}


def forget(project: Project, name: str = NAME) -> None:
    """Makes the registry as it was before anything followed a switch."""
    tracking = open_tracking(project)
    tracking.client.delete_registered_model(name)
    tracking.client.delete_experiment_tag(tracking.experiment_id, "dataops.ledger")


def test_a_promotion_registers_the_model_once_under_the_name_of_its_environment(project: Project, lake: Lake) -> None:
    state = lake.state("prod")
    model = state.cut.member("stays")
    assert model
    assert versions(project) == [("1", model.digest, state.release)]
    assert aliases(project) == {"champion": "1"}
    assert versions(project, "staging.guest.stays") == [("1", model.digest, state.release)]
    reconcile(session_of(project, lake))  # pins the code again, for the project was copied from another folder
    for _ in range(2):
        assert reconcile(session_of(project, lake)).to_plain() == {"made": [], "put_right": [], "failed": ""}
    assert versions(project) == [("1", model.digest, state.release)]
    assert lake.state("prod") == state, "no event where all is equal"


def test_what_a_hand_changed_is_put_right_and_written_in_the_ledger(project: Project, lake: Lake) -> None:
    client = open_tracking(project).client
    (first,) = versions(project)
    other = client.create_model_version(
        NAME, source="models:/dev.guest.stays/1", tags={"dataops.digest": "sha256:other"}
    )

    def found() -> list[str]:
        reconcile(session_of(project, lake))
        assert reconcile(session_of(project, lake)).put_right == ()
        event = lake.state("prod").event
        assert (event.kind, aliases(project), versions(project)[0]) == ("reconcile", {"champion": "1"}, first)
        return list(event.found)

    client.set_registered_model_alias(NAME, "champion", other.version)
    assert found() == [f"{NAME}: champion was version 2, and is version 1 now"]
    client.delete_registered_model_alias(NAME, "champion")
    assert found() == [f"{NAME}: champion is version 1 now"]
    client.set_registered_model_alias(NAME, "previous", other.version)
    assert found() == [f"{NAME}: previous was version 2, and is no version now"]
    client.set_model_version_tag(NAME, "1", "dataops.digest", "sha256:other")
    assert found() == [f"{NAME}: tags of version 1 are as they should be again: dataops.digest"]
    assert [e.kind for e in lake.events("prod")] == ["promotion", *["reconcile"] * 4]
    assert lake.state("prod").publication == lake.events("prod")[0].publication


def test_a_version_that_was_deleted_is_registered_again(project: Project, lake: Lake) -> None:
    (first,) = versions(project)
    open_tracking(project).client.delete_model_version(NAME, "1")
    assert reconcile(session_of(project, lake)).put_right == (f"{NAME}: champion is a new version now",)
    assert [v[1:] for v in versions(project)] == [first[1:]]
    assert aliases(project) == {"champion": versions(project)[0][0]}


def test_a_version_that_only_says_it_is_the_model_is_not_taken_for_it(project: Project, lake: Lake) -> None:
    (first,) = versions(project)
    forget(project)
    client = open_tracking(project).client
    client.create_registered_model(NAME)
    client.create_model_version(NAME, source=str(project.home / "data"), tags={"dataops.digest": first[1]})
    assert reconcile(session_of(project, lake)).made
    assert aliases(project) == {"champion": "2"}


def test_a_failure_is_told_and_leaves_the_switch_as_it_is(
    project: Project, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget(project)
    state = lake.state("prod")
    with monkeypatch.context() as patched:
        patched.setattr("dataops_platform.release.reconciliation.model_aliases.copy_version", lambda *_: 1 / 0)
        assert follow_switch(session_of(project, lake)).failed.startswith(
            "DP-M015 The registry does not match the ledger of prod yet"
        )
    assert lake.state("prod") == state
    assert follow_switch(session_of(project, lake)).failed == ""
    assert aliases(project) == {"champion": "1"}


def test_where_no_model_was_ever_shown_mlflow_is_not_loaded(published: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from dataops_platform.release.reconciliation.reconcile import reconcile\n"
        "from dataops_platform.settings.project import load_project\n"
        "from dataops_platform.warehouse.session import open_session\n"
        "project = load_project(Path('.'))\n"
        "with open_session(project) as session: print(reconcile(session).to_plain(), 'mlflow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=published, capture_output=True, text=True, check=True)
    assert done.stdout == "{'made': [], 'put_right': [], 'failed': ''} False\n"


def start(project: Project, faults: str = "") -> subprocess.Popen[str]:
    """`dataops reconcile prod` in a process of its own."""
    command = [str(Path(sys.executable).with_name("dataops")), "reconcile", "prod", "--json"]
    env = {**os.environ, "DATAOPS_FAULTS": faults}
    return subprocess.Popen(
        command, cwd=project.root, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.kills
@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_the_next_one_ends_it_and_nothing_is_doubled(point: str, project: Project, lake: Lake) -> None:
    (first,) = versions(project)
    forget(project)
    with start(project, f"reconcile.{point}") as process:
        process.communicate(timeout=60)
    assert process.returncode == -9
    done = reconcile(session_of(project, lake))
    assert (versions(project), aliases(project), done.put_right) == ([first], {"champion": "1"}, ())
    assert lake.state("prod").event.kind == "promotion", "its own death is nobody's hand"


@pytest.mark.kills
def test_many_at_once_register_one_version(project: Project) -> None:
    (first,) = versions(project)
    forget(project)
    running = [start(project) for _ in range(4)]
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert (versions(project), aliases(project)) == ([first], {"champion": "1"})


@pytest.mark.journey
def test_after_another_release_and_a_rollback_the_aliases_say_which_is_shown_and_which_was(
    stays: Path, dataops: Callable[..., Any], project: Project
) -> None:
    (stays / "data" / "shift.txt").write_text("5")
    for command in ("run", "release build", "promote --to staging", "promote --to prod"):
        said = dataops(*command.split())
        assert said.exit_code == 0, said.text
    assert "prod.guest.stays: champion was version 1, and is a new version now" in said.text
    first, second = versions(project)
    assert aliases(project) == {"champion": second[0], "previous": first[0]}
    with lake_of(project) as lake:
        assert second[2] == lake.state("prod").release != first[2]
    assert dataops("rollback", "prod").exit_code == 0
    assert aliases(project) == {"champion": first[0]}, "there was nothing before the first release"
    assert versions(project) == [first, second]
    with lake_of(project) as lake:
        roll_back(session_of(project, lake), "2")
        reconcile(session_of(project, lake))
        assert "reconcile" not in [e.kind for e in lake.events("prod")]
    assert aliases(project) == {"champion": second[0], "previous": first[0]}
