"""A release and a run are made again from what they had, and every planted difference is found."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.manifests.manifest import Head
from dataops_platform.release.reproduce.models import compare_model
from dataops_platform.release.reproduce.result import Comparison
from dataops_platform.release.reproduce.tables import compare_table
from dataops_platform.settings.project import load_project
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.technologies.mlflow.versions import all_versions
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.filterwarnings("ignore")  # what MLflow and Dagster say of their own beginnings

Run = Callable[..., Any]
MODEL = "src/guest/model.py"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=tests", "-c", "user.email=tests@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def edit(folder: Path, name: str, old: str, new: str) -> None:
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


@pytest.fixture
def in_git(guest: Path) -> Path:
    """A project with a model, in git; its own table is there in every environment. Nothing has run yet."""
    edit(guest, "src/guest/definitions.py", '["dev", "signups"]', '[os.environ.get("DATAOPS_ENV", "dev"), "signups"]')
    edit(guest, "src/guest/definitions.py", "from pathlib", "import os\nfrom pathlib")
    (guest / ".gitignore").write_text(".dataops/\n__pycache__/\ndata/\n")
    git(guest, "init", "-q")
    git(guest, "add", "--all")
    git(guest, "commit", "-qm", "Who stays")
    return guest


@pytest.fixture
def stays(in_git: Path, dataops_in: Callable[[Path], Run]) -> Path:
    """The same after its first run."""
    guest = in_git
    said = dataops_in(guest)("run")
    assert said.exit_code == 0, said.text
    return guest


def built(dataops: Run) -> str:
    """The id of a release of what dev shows."""
    said = dataops("release", "build", "--json")
    assert said.exit_code == 0, said.text
    return str(said.json["id"])


def heads(folder: Path) -> dict[str, Head]:
    with lake_of(load_project(folder), read_only=True) as lake:
        found = lake.heads("dev")
        lake.load(found.values())  # their manifests are looked at when the lake is closed
        return found


def compared(folder: Path, before: dict[str, Head]) -> dict[str, Comparison]:
    """How equal what is made now is to what was made before."""
    project = load_project(folder)
    with lake_of(project) as lake:
        now = lake.heads("dev")
        return {
            "stays": compare_model(project, lake, before["stays"], now["stays"], now, 1e-6),
            "stay_predictions": compare_table(lake, before["stay_predictions"], now["stay_predictions"], 1e-6),
        }


def levels(result: Any) -> dict[str, str]:
    return {part["name"]: part["level"] for part in result["parts"]}


@pytest.mark.journey
def test_a_model_reaches_the_level_of_what_was_changed(stays: Path, dataops_in: Callable[[Path], Run]) -> None:
    before = heads(stays)
    found = {}
    for what, arguments in (
        ("nothing", ""),
        ("a setting that changes nothing", "max_iter=101"),
        ("a setting that changes little", "C=1.00000001"),
        ("a setting that changes much", "C=0.001"),
    ):
        edit(stays, MODEL, "LogisticRegression()", f"LogisticRegression({arguments})")
        said = dataops_in(stays)("run", "--force", "--select", "stays,stay_predictions")
        assert said.exit_code == 0, said.text
        found[what] = {name: part.level for name, part in compared(stays, before).items()}
        edit(stays, MODEL, f"LogisticRegression({arguments})", "LogisticRegression()")
    print(f"\n{found}")
    assert found == {
        "nothing": {"stays": "bytes", "stay_predictions": "bytes"},  # the version that was registered is found
        "a setting that changes nothing": {"stays": "predictions", "stay_predictions": "predictions"},
        "a setting that changes little": {"stays": "tolerance", "stay_predictions": "tolerance"},
        "a setting that changes much": {"stays": "different", "stay_predictions": "different"},
    }


@pytest.mark.journey
def test_a_release_comes_out_equal_whatever_became_of_the_project(
    stays: Path, dataops_in: Callable[[Path], Run]
) -> None:
    dataops = dataops_in(stays)
    release = built(dataops)
    edit(stays, MODEL, "LogisticRegression()", "LogisticRegression(C=0.001)")
    edit(stays, "src/guest/definitions.py", "* 200 as age", "* 1 as age")
    git(stays, "commit", "-qam", "Everything is other now")
    assert dataops("run").exit_code == 0
    versions = [one.version for one in registered(stays)]
    before = heads(stays)

    said = dataops("reproduce", release[7:19], "--json")
    assert said.exit_code == 0, said.text
    assert levels(said.json) == {"members": "bytes", "stays": "content", "stay_predictions": "bytes"}
    assert said.json["inputs"] == {"signups": "as it was"}
    assert "by the code of commit" in said.json["code"]

    assert heads(stays) == before
    assert [one.version for one in registered(stays)] == versions, "no model is left over"
    with lake_of(load_project(stays), read_only=True) as lake:
        schemas = lake.connection.execute("select schema_name from duckdb_schemas() where database_name = 'lake'")
        assert not [name for (name,) in schemas.fetchall() if "reproduce" in name]
    assert not list((stays / ".dataops" / "branches").iterdir())
    assert dataops("ledger", "verify").exit_code == 0


def registered(folder: Path) -> list[Any]:
    return all_versions(open_tracking(load_project(folder)).client)


@pytest.mark.journey
def test_a_run_is_made_again_by_the_code_at_hand_and_changed_code_is_found(
    stays: Path, dataops_in: Callable[[Path], Run]
) -> None:
    dataops = dataops_in(stays)
    run = dataops("run", "--force", "--json").json["run"]
    same = dataops("reproduce", run[:8], "--json")
    assert same.exit_code == 0, same.text
    assert levels(same.json) == {"members": "bytes", "stays": "content", "stay_predictions": "bytes"}
    assert same.json["code"] == "no release has it, so by the code at hand"
    alone = dataops("run", "--force", "--select", "stay_predictions", "--json").json["run"]
    scored = dataops("reproduce", alone, "--json", "--level", "bytes")
    assert (scored.exit_code, levels(scored.json)) == (0, {"stay_predictions": "bytes"}), scored.text
    assert scored.json["inputs"] == {"members": "as it was", "stays": "as it was"}
    edit(stays, MODEL, "LogisticRegression()", "LogisticRegression(C=0.001)")
    other = dataops("reproduce", run[:8])
    assert other.exit_code == 1
    assert "1 of 3 parts reach the level content" in other.text


@pytest.mark.journey
def test_a_changed_seed_and_a_changed_row_of_an_input_nobody_pinned_are_found(
    in_git: Path, dataops_in: Callable[[Path], Run]
) -> None:
    """The model draws its rows with a seed from a file that is no part of the code."""
    guest = in_git
    (guest / "data").mkdir()
    (guest / "data" / "seed").write_text("1")
    edit(
        guest,
        MODEL,
        "return make_pipeline(StandardScaler(), LogisticRegression()).fit(features, target)",
        'seed = int((__import__("pathlib").Path(SEED)).read_text())\n'
        "    rows = features.sample(frac=0.7, random_state=seed)\n"
        "    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target[rows.index])",
    )
    (guest / MODEL).write_text((guest / MODEL).read_text() + f'\n\nSEED = "{guest}/data/seed"\n')
    git(guest, "commit", "-qam", "Learn from some")
    dataops = dataops_in(guest)
    assert dataops("run").exit_code == 0
    release = built(dataops)
    same = dataops("reproduce", release[7:19], "--json")
    assert levels(same.json) == {"members": "bytes", "stays": "content", "stay_predictions": "bytes"}, same.text
    (guest / "data" / "seed").write_text("2")
    other = dataops("reproduce", release[7:19], "--json", "--level", "tolerance")
    assert other.exit_code == 1
    assert levels(other.json) == {"members": "bytes", "stays": "different", "stay_predictions": "different"}


@pytest.mark.journey
def test_raw_tables_are_read_in_again_only_when_their_files_are_the_same(
    published: Path, dataops_in: Callable[[Path], Run]
) -> None:
    (published / ".gitignore").write_text(".dataops/\n__pycache__/\ndata/\n")
    git(published, "init", "-q")
    git(published, "add", "--all")
    git(published, "commit", "-qm", "A shop")
    dataops = dataops_in(published)
    release = built(dataops)
    text = (published / "data" / "orders.csv").read_text()
    edit(published, "data/orders.csv", "2024-02-02,4,cid,12.25", "2024-02-02,4,cid,99.00")
    assert dataops("run").exit_code == 0
    pinned = dataops("reproduce", release[7:19], "--json")  # dbt may write the rows of a mart in another order
    assert pinned.exit_code == 0, pinned.text
    assert pinned.json["inputs"] == {"raw_orders": "as it was", "raw_customers": "as it was"}

    give_up(published, "raw_orders")
    gone = dataops("reproduce", release[7:19])
    assert (gone.exit_code, "DP-L052" in gone.text) == (1, True), gone.text
    assert "The recorded version of raw_orders is deleted, and data/orders.csv changed since" in gone.text
    (published / "data" / "orders.csv").write_text(text)
    again = dataops("reproduce", release[7:19], "--json")
    assert again.exit_code == 0, again.text
    assert again.json["inputs"] == {"raw_orders": "read in again", "raw_customers": "as it was"}
    assert set(levels(again.json).values()) <= {"bytes", "content"}


def give_up(folder: Path, name: str) -> None:
    """Collects the oldest version of a table that is no head any more."""
    from dataops_platform.warehouse import expiry

    with lake_of(load_project(folder)) as lake:
        (oldest,) = lake.connection.execute(
            "select min(coalesce(version, snapshot_id::varchar)::bigint) "
            f"from lake._dataops.heads where name = '{name}'"
        ).fetchall()[0]
        expiry.expire(lake.connection, [oldest])


@pytest.mark.journey
def test_rows_of_an_input_that_somebody_changed_in_the_lake_are_refused(
    stays: Path, dataops_in: Callable[[Path], Run]
) -> None:
    dataops = dataops_in(stays)
    release = built(dataops)
    (file,) = (stays / ".dataops" / "data" / "dev__build" / "signups").glob("*.parquet")
    written = bytearray(file.read_bytes())
    written[60] ^= 1
    file.write_bytes(written)
    said = dataops("reproduce", release[7:19])
    assert (said.exit_code, "DP-L053" in said.text) == (1, True), said.text
