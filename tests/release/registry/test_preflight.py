"""What cannot be shown is refused before anything is changed; a model before anything of it is made an object."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.errors import Refused
from dataops_platform.release.promotion.preflight import prepare, refuse_other_models
from dataops_platform.release.promotion.promote import promote, propose
from dataops_platform.release.promotion.switch import roll_back
from dataops_platform.release.release import find_release
from dataops_platform.settings.project import Project
from dataops_platform.technologies.mlflow.registry import version_files
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.technologies.sklearn.artefact import refuse_other_files
from dataops_platform.warehouse.lake import Lake
from tests.fixtures.lakes import session_of
from tests.release.registry.tamperings import describe, other_numbers, parts, rezip, tamperings

pytestmark = pytest.mark.journey


def shows(lake: Lake) -> list[Any]:
    """Everything that a promotion moves."""
    rows = [lake.connection.execute(f"from lake.prod.{name} order by all").fetchall() for name in ("members",)]
    return [lake.events("prod"), lake.state("prod"), lake.heads("prod"), rows]


def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes everything that turns files into a model blow up."""
    import pickle

    import cloudpickle
    import joblib
    import mlflow.pyfunc
    import mlflow.sklearn
    import skops.io

    def boom(*_: object, **__: object) -> None:
        raise AssertionError("a model was deserialized")

    for module, name in (
        (skops.io, "load"),
        (skops.io, "loads"),
        (skops.io._persist, "get_tree"),
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (cloudpickle, "load"),
        (joblib, "load"),
        (mlflow.pyfunc, "load_model"),
        (mlflow.sklearn, "load_model"),
    ):
        monkeypatch.setattr(module, name, boom)


@pytest.mark.journey
def test_tampered_models_are_refused_before_they_are_deserialized(
    project: Project, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    release = find_release(lake, "")
    plan = propose(session_of(project, lake), release)
    model = release.cut.member("stays")
    assert plan.passes and model
    files = version_files(open_tracking(project).client, "dev.guest.stays", model.version)
    good, other, before = tmp_path / "good", tmp_path / "other", shows(lake)
    shutil.copytree(files, good)
    rezip(shutil.copytree(files, other), {parts(files)[0]: other_numbers})
    nothing_is_loaded(monkeypatch)
    refused: dict[str, str] = {}
    for name, tamper in tamperings(other, tmp_path).items():
        tamper(files)
        with pytest.raises(Refused) as told:
            promote(session_of(project, lake), plan)
        refused[name] = told.value.code
        assert "dev.guest.stays" in str(told.value), name
        files.unlink() if files.is_symlink() else shutil.rmtree(files, ignore_errors=True)
        shutil.copytree(good, files)
        prepare(project, lake, release.cut)
    assert not (tmp_path / "executed").exists()
    assert shows(lake) == before, "nothing moved"
    assert set(refused.values()) == {"DP-M001", "DP-M002", "DP-M011", "DP-M021"}, refused
    assert len(refused) >= 50
    say(f"{len(refused)} of {len(refused)} tampered model artefacts refused before deserialization")


def test_what_changes_nothing_of_a_model_is_no_tampering(project: Project, lake: Lake) -> None:
    model = find_release(lake, "").cut.member("stays")
    assert model
    files = version_files(open_tracking(project).client, "dev.guest.stays", model.version)
    describe(files, lambda d: d.update(run_id="another", utc_time_created="2030-01-01", model_uuid="m-1"))
    refuse_other_files(files, model.digest)


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_a_table_whose_files_are_gone_is_refused(harm: str, project: Project, lake: Lake) -> None:
    before = shows(lake)
    release = find_release(lake, "")
    prepare(project, lake, release.cut)
    refuse_other_models(project, lake.cut(before[0][0]))
    (path,) = (project.home / ".dataops" / "data" / "dev__build" / "stay_predictions").glob("*.parquet")
    path.unlink() if harm == "missing" else path.write_bytes(path.read_bytes()[:-1])
    for attempt in (
        lambda: promote(session_of(project, lake), propose(session_of(project, lake), release)),
        lambda: roll_back(session_of(project, lake), "1", prepare=partial(refuse_other_models, project)),
    ):
        with pytest.raises(Refused, match="stay_predictions") as told:
            attempt()
        assert told.value.code == "DP-L039"
    assert shows(lake) == before


def test_a_table_whose_version_was_removed_is_refused(project: Project, lake: Lake) -> None:
    (first, *_) = lake.events("prod")
    (version,) = {m.version for m in lake.cut(first).members if m.name == "members"}
    lake.connection.execute("drop view lake.prod.members; drop view lake.staging.members; drop view lake.dev.members")
    lake.connection.execute("drop table lake.dev__build.members")
    lake.connection.execute(f"call ducklake_expire_snapshots('lake', versions => [{version}])")
    with pytest.raises(Refused, match="members") as told:
        roll_back(session_of(project, lake), "1")
    assert told.value.code == "DP-L039"
