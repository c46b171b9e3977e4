"""What `dataops init` makes: whole projects, of exactly these files, or nothing."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dataops_platform.cli.main import app
from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.kit.version import VERSION
from dataops_platform.template.bake import MADE_FROM, bake, render
from dataops_platform.template.questions import questions, template_settings
from dataops_platform.template.upgrade import template_upgrade
from tests.fixtures.terminal import command

FILES = {
    *(".gitignore", ".template.json", "Makefile", "README.md", "dataops.yaml", "pyproject.toml"),
    *(
        f"contracts/{t}.odcs.yaml"
        for t in ("customers", "daily_sales", "order_features", "orders", "return_predictions")
    ),
    *("data/customers.csv", "data/orders.csv", "dbt/dbt_project.yml"),
    *(f"dbt/models/{name}.yml" for name in ("contracts.generated", "exposures", "sources", "unit_tests")),
    *("dbt/models/daily_sales.sql", "dbt/models/order_features.sql"),
    *(f"src/shop_2/{name}.py" for name in ("__init__", "cleaning", "definitions", "returns", "defs/__init__")),
    *(
        f"src/shop_2/defs/{stage}/defs.yaml"
        for stage in ("extract", "clean", "transform", "train", "score", "publish", "release")
    ),
    *("tests/conftest.py", "tests/test_contracts.py", "tests/test_pipeline.py"),
}
CI = {"github": {".github/workflows/dataops.yml"}, "gitlab": {".gitlab-ci.yml"}, "none": set[str]()}
CHOICES = {question.name: [*question.choices] for question in questions() if question.choices}
COMBINATIONS = [dict(zip(CHOICES, chosen, strict=True)) for chosen in itertools.product(*CHOICES.values())]
WITHOUT_CI = [chosen for chosen in COMBINATIONS if chosen["ci"] == "none"]
MARKS = ("cookiecutter", "{%", "%}")
ANSWERS = {"name": "shop-2", "team": "sales", "catalog": "sqlite", "ci": "none", "deployment": "none"}


def files_in(folder: Path) -> set[str]:
    """Paths of all files below a folder, without git's own."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if not path.startswith(".git/")}


@pytest.mark.parametrize("chosen", COMBINATIONS, ids=lambda chosen: "-".join(chosen.values()))
def test_every_combination_bakes_to_exactly_the_expected_files(chosen: dict[str, str], tmp_path: Path) -> None:
    folder = bake({**ANSWERS, **chosen}, tmp_path)
    assert files_in(folder) == FILES | CI[chosen["ci"]]
    marked = [
        f"{path.name}: {mark}"
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.parts
        for mark in MARKS
        if mark in path.read_text()
    ]
    assert marked == []
    texts = (folder / "dataops.yaml").read_text() + (folder / "pyproject.toml").read_text()
    assert ("postgres:dbname=shop_2" in texts, "[postgres," in texts) == (chosen["catalog"] == "postgres",) * 2
    assert json.loads((folder / MADE_FROM).read_text())["answers"] == {**ANSWERS, **chosen}


@pytest.mark.parametrize("chosen", WITHOUT_CI, ids=lambda chosen: "-".join(chosen.values()))
def test_the_ci_changes_nothing_that_dagster_reads(chosen: dict[str, str], tmp_path: Path) -> None:
    folders = [bake({**ANSWERS, **chosen, "ci": ci}, tmp_path / ci) for ci in CHOICES["ci"]]
    first, *others = [{name: (folder / name).read_bytes() for name in FILES - {MADE_FROM}} for folder in folders]
    assert others == [first] * len(others)


@pytest.mark.journey
@pytest.mark.parametrize("chosen", WITHOUT_CI, ids=lambda chosen: "-".join(chosen.values()))
def test_dagster_loads_every_combination_but_of_ci(chosen: dict[str, str], tmp_path: Path) -> None:
    folder = bake({**ANSWERS, **chosen}, tmp_path)
    for what in ("yaml", "defs"):
        done = command(folder, "dg", "check", what)
        assert done.exit_code == 0, done.out + done.err


@pytest.mark.journey
def test_dagster_refuses_a_misspelt_key_of_a_project_that_was_baked(tmp_path: Path) -> None:
    folder = bake(ANSWERS, tmp_path)
    defs = folder / "src" / "shop_2" / "defs" / "train" / "defs.yaml"
    defs.write_text(defs.read_text().replace("attributes:", "attributes:\n  modell: x"))
    done = command(folder, "dg", "check", "yaml")
    assert done.exit_code != 0
    assert "modell" in done.out + done.err


def test_the_template_has_the_version_of_the_package() -> None:
    assert template_settings()["_template_version"] == VERSION


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        *(("name", answer) for answer in ("../x", "a/b", "a'b", 'a"b', "{{ 7*7 }}", "{% raw %}", "a\nb", "x" * 300)),
        *(("name", answer) for answer in ("", "-a", "A", "a__b", "json", "class", "release", "2shops", "é", "a b")),
        *(("team", answer) for answer in ("../x", "a'b", "{{ 7*7 }}", "a\nb", "x" * 300, "", "a: b")),
        ("catalog", "mysql"),
        ("ci", "jenkins"),
        ("deployment", "docker"),
    ],
)
def test_a_hostile_answer_is_refused_and_nothing_is_made(question: str, answer: str, tmp_path: Path) -> None:
    with pytest.raises(UsedWrongly, match="DP-N001"):
        bake({**ANSWERS, question: answer}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", ["../x", "a'b", 'a"b', "a\nb", "x" * 300, "Shop"])
def test_cookiecutter_alone_refuses_it_too(answer: str, tmp_path: Path) -> None:
    with pytest.raises(SystemFailed, match="DP-N003"):
        render({**ANSWERS, "name": answer}, tmp_path / "here")
    assert not files_in(tmp_path)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shop-2").mkdir()
    (tmp_path / "shop-2" / "mine.txt").write_text("mine")
    with pytest.raises(UsedWrongly, match="DP-N002"):
        bake(ANSWERS, tmp_path)
    assert files_in(tmp_path) == {"shop-2/mine.txt"}


def test_questions_are_asked_again_until_they_can_be_answered(tmp_path: Path) -> None:
    answers = "../x\nshop-2\n\nmysql\npostgres\n"
    said = CliRunner().invoke(app, ["init", "--ci", "none", "--into", str(tmp_path)], input=answers)
    assert said.exit_code == 0, said.output
    assert said.stderr.count("DP-N001") == 2
    assert "postgres:dbname=shop_2" in (tmp_path / "shop-2" / "dataops.yaml").read_text()


def test_the_command_makes_a_repository_and_says_what_comes_next(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["init", "shop-2", "--no-input", "--team", "sales", "--into", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "make run" in said.output
    assert (tmp_path / "shop-2" / ".git").is_dir()
    assert "team:sales" in (tmp_path / "shop-2" / "dataops.yaml").read_text()


def test_what_a_newer_template_would_change_is_known(tmp_path: Path) -> None:
    folder = bake(ANSWERS, tmp_path)
    assert template_upgrade(folder) is not None
    assert template_upgrade(folder).changes == ()
    made = json.loads((folder / MADE_FROM).read_text())
    made["_template_version"] = "0.0.1"
    made["files"] |= {"Makefile": "older", "README.md": "older", "gone.txt": "older"}
    del made["files"]["dataops.yaml"]
    for name in ("Makefile", "dataops.yaml", "gone.txt"):
        (folder / name).write_text("mine")
    (folder / MADE_FROM).write_text(json.dumps(made))
    newer = template_upgrade(folder)
    assert newer is not None
    assert (newer.made_from, newer.installed) == ("0.0.1", VERSION)
    found = {change.file: (change.what, change.edited) for change in newer.changes}
    assert found == {"Makefile": ("changed", True), "dataops.yaml": ("new", True), "gone.txt": ("removed", True)}


def test_a_project_of_another_making_has_no_template(orders: Path) -> None:
    assert template_upgrade(orders) is None
