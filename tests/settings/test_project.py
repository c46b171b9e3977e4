"""`dataops.yaml` is read strictly, and a project is found from anywhere inside it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.settings.project import PartitionSettings, load_project

HEAD = "project: shop\nowner: team:sales\n"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment variable of the person who runs the tests decides anything."""
    for name in ("DATAOPS_ENV", "DATAOPS_FAULTS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the smallest project there is."""
    (tmp_path / "dataops.yaml").write_text(HEAD)
    return tmp_path


def refused(folder: Path, text: str) -> str:
    """What is said about a `dataops.yaml` with this content; which is the file's fault."""
    (folder / "dataops.yaml").write_text(text)
    with pytest.raises(UsedWrongly) as caught:
        load_project(folder)
    assert caught.value.code.startswith("DP-Y")
    return caught.value.message


def test_the_smallest_project_has_an_environment_a_lake_and_a_registry(folder: Path) -> None:
    project = load_project(folder)
    assert project.settings.model_dump() == {
        "project": "shop",
        "owner": "team:sales",
        "lake": {"catalog": "sqlite:.dataops/lake.sqlite", "data": ".dataops/data"},
        "mlflow": {"tracking": "sqlite:.dataops/mlflow.sqlite", "artifacts": ".dataops/mlflow"},
        "partitions": {},
        "roles": {},
        "environments": {"dev": {"from_": None, "gates": [], "schedule": None}},
    }
    assert (project.name, project.environment, project.build_schema) == ("shop", "dev", "dev__build")
    assert (project.root, project.state_dir) == (folder, folder / ".dataops")


def test_everything_that_can_be_said_is_read(folder: Path) -> None:
    (folder / "dataops.yaml").write_text(
        "project: shop_2\n"
        "owner: ann@example.org\n"
        "lake: {catalog: 'postgres:dbname=lake host=db', data: 's3://bucket/lake'}\n"
        "mlflow: {tracking: 'http://mlflow:5000', artifacts: 's3://bucket/models'}\n"
        "partitions:\n"
        "  months: {every: month, start: 2024-01-01, end: '2024-03-01'}\n"
        "environments: {dev: {}, staging: {}, feature_1: {}}\n"
    )
    settings = load_project(folder, "feature_1").settings
    assert settings.lake.catalog == "postgres:dbname=lake host=db"
    assert settings.partitions == {
        "months": PartitionSettings(every="month", start=dt.date(2024, 1, 1), end=dt.date(2024, 3, 1))
    }
    assert list(settings.environments) == ["dev", "staging", "feature_1"]


NAMES = "use lower-case letters, digits and single underscores, starting with a letter"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "dataops.yaml:1:1 lacks the key 'project' (1 more in this file)"),
        ("project: shop\n", "dataops.yaml:1:1 lacks the key 'owner'"),
        ("- project\n", "dataops.yaml:1:1 must hold keys and values, not list"),
        (HEAD + "onwer: x\n", "dataops.yaml:3:1 has an unknown key 'onwer'; did you mean 'owner'?"),
        (HEAD + "project: x\n", "dataops.yaml:3:1 repeats the key 'project'"),
        ("project: Shop\nowner: team:a\n", f"dataops.yaml:1:1 has an invalid 'project': {NAMES} (given: 'Shop')"),
        ("project: a__b\nowner: team:a\n", f"dataops.yaml:1:1 has an invalid 'project': {NAMES} (given: 'a__b')"),
        ("project: 1a\nowner: team:a\n", f"dataops.yaml:1:1 has an invalid 'project': {NAMES} (given: '1a')"),
        ("project: ''\nowner: team:a\n", f"dataops.yaml:1:1 has an invalid 'project': {NAMES} (given: '')"),
        (
            "project: 5\nowner: team:a\n",
            "dataops.yaml:1:1 has an invalid 'project': Input should be a valid string (given: 5)",
        ),
        (
            "project: release\nowner: team:a\n",
            "dataops.yaml:1:1 has an invalid 'project': 'release' names an asset of the platform itself (given: "
            "'release')",
        ),
        (
            "project: a\nowner: sales\n",
            "dataops.yaml:2:1 has an invalid 'owner': String should match pattern "
            "'^(team:[a-z0-9_-]+|[^@\\s]+@[^@\\s]+)$' "
            "(given: 'sales')",
        ),
        (HEAD + "lake: {catlog: x}\n", "dataops.yaml:3:8 has an unknown key 'lake.catlog'; did you mean 'catalog'?"),
        (
            HEAD + "lake: {catalog: 'mysql:x'}\n",
            "dataops.yaml:3:8 has an invalid 'lake.catalog': write sqlite:PATH or postgres:dbname=… host=… (given: "
            "'mysql:x')",
        ),
        (
            HEAD + "lake: {catalog: 'sqlite:'}\n",
            "dataops.yaml:3:8 has an invalid 'lake.catalog': write sqlite:PATH or postgres:dbname=… host=… (given: "
            "'sqlite:')",
        ),
        (
            HEAD + "lake:\n",
            "dataops.yaml:3:1 has an invalid 'lake': Input should be a valid dictionary or instance of LakeSettings "
            "(given: None)",
        ),
        (
            HEAD + "mlflow: {tracking: 5}\n",
            "dataops.yaml:3:10 has an invalid 'mlflow.tracking': Input should be a valid string (given: 5)",
        ),
        (
            HEAD + "partitions: {m: {every: week, start: 2024-01-01, end: 2024-02-01}}\n",
            "dataops.yaml:3:18 has an invalid 'partitions.m.every': Input should be 'month' or 'day' (given: 'week')",
        ),
        (
            HEAD + "partitions: {m: {every: day, start: 2024-01-01}}\n",
            "dataops.yaml:3:14 lacks the key 'partitions.m.end'",
        ),
        (
            HEAD + "partitions: {m: {every: day, start: 0, end: 2024-01-01}}\n",
            "dataops.yaml:3:30 has an invalid 'partitions.m.start': Input should be a valid date (given: 0)",
        ),
        (
            HEAD + "partitions: {m: {every: day, start: 'Monday', end: 2024-01-01}}\n",
            "dataops.yaml:3:30 has an invalid 'partitions.m.start': Invalid isoformat string: 'Monday' (given: "
            "'Monday')",
        ),
        (
            HEAD + "partitions: {m: {every: day, start: 2023-02-29, end: 2024-01-01}}\n",
            "dataops.yaml:3:37 has '2023-02-29', which YAML cannot read as a value",
        ),
        (
            HEAD + "partitions: {m: {every: day, start: 2024-01-02, end: 2024-01-02}}\n",
            "dataops.yaml:3:14 has an invalid 'partitions.m': end must be after start",
        ),
        (
            HEAD + "partitions: {m: {every: month, start: 2024-01-02, end: 2024-03-01}}\n",
            "dataops.yaml:3:14 has an invalid 'partitions.m': months start and end on the first day",
        ),
        (
            HEAD + "environments: {Prod: {}}\n",
            f"dataops.yaml:3:16 has an invalid 'environments.Prod': 'Prod' cannot name an environment; U{NAMES[1:]}, "
            "at most 40 characters "
            "(given: 'Prod')",
        ),
        (
            HEAD + "environments: {dev: {schedul: x}}\n",
            "dataops.yaml:3:22 has an unknown key 'environments.dev.schedul'; did you mean 'schedule'?",
        ),
        *(
            (f"{HEAD}environments:\n  dev: {{}}\n  prod:\n    from: dev\n    gates:\n      - {gate}\n", said)
            for gate, said in (
                (
                    "contrats",
                    "dataops.yaml:8:9 has an invalid 'environments.prod.gates.0': there is no such gate; did you mean "
                    "'contracts'? "
                    "(given: 'contrats')",
                ),
                (
                    "{model_not_worst: {tolerance: 0.1}}",
                    "dataops.yaml:8:10 has an unknown key 'environments.prod.gates.0.model_not_worst'; "
                    "did you mean 'model_not_worse'?",
                ),
                (
                    "{model_not_worse: {tolerence: 0.1}}",
                    "dataops.yaml:8:28 has an unknown key 'environments.prod.gates.0.model_not_worse.tolerence'; "
                    "did you mean 'tolerance'?",
                ),
                (
                    "{model_not_worse: {metric: acu}}",
                    "dataops.yaml:8:28 has an invalid 'environments.prod.gates.0.model_not_worse.metric': Input should "
                    "be 'auc' or "
                    "'brier' (given: 'acu'); did you mean 'auc'?",
                ),
                ("{approval: {}}", "dataops.yaml:8:10 lacks the key 'environments.prod.gates.0.approval.by'"),
                (
                    "{approval: {by: ['role:manger']}}",
                    "dataops.yaml:3:1 has an invalid 'environments': prod wants approval by role:manger, which nobody "
                    "has; "
                    "known: none",
                ),
                (
                    "{checks: {waived: {by: bob, why: x, untill: 2024-01-01}}}",
                    "dataops.yaml:8:45 has an unknown key 'environments.prod.gates.0.checks.waived.untill'; "
                    "did you mean 'until'? (1 more in this file)",
                ),
                (
                    "'gates:few ness'",
                    "dataops.yaml:8:9 has an invalid 'environments.prod.gates.0': String should match pattern "
                    "'^[A-Za-z_][\\w.]*:[A-Za-z_]\\w*$' (given: 'gates:few ness')",
                ),
            )
        ),
        (
            HEAD + "environments: [dev]\n",
            "dataops.yaml:3:1 has an invalid 'environments': Input should be a valid dictionary",
        ),
    ],
)
def test_a_fault_in_the_file_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert refused(tmp_path, text) == said


@pytest.mark.parametrize(
    "line",
    [
        "lake: {catalog: 'postgres:dbname=lake password=hunter2'}",
        "lake: {catalog: 'postgres:dbname=lake PASSWORD = hunter2'}",
        "lake: {catalog: 'postgres:postgresql://ann:hunter2@db/lake'}",
        "lake: {data: 's3://ann:hunter2@bucket/lake'}",
        "mlflow: {tracking: 'postgresql://ann:hunter2@db/mlflow'}",
        "mlflow: {artifacts: 'ftp://ann:hunter2@host/models'}",
    ],
)
def test_a_password_in_the_file_is_refused_and_never_shown(tmp_path: Path, line: str) -> None:
    said = refused(tmp_path, f"{HEAD}{line}\n")
    assert said.endswith("a password does not belong in a file; use PGPASSWORD or ~/.pgpass")
    assert "hunter2" not in said


@pytest.mark.parametrize("catalog", ["sqlite:password_shop/lake.sqlite", "postgres:postgresql://ann@db/lake"])
def test_a_place_without_a_password_is_not_taken_for_one(folder: Path, catalog: str) -> None:
    (folder / "dataops.yaml").write_text(f"{HEAD}lake: {{catalog: '{catalog}'}}\n")
    assert load_project(folder).settings.lake.catalog == catalog


@pytest.mark.parametrize(
    ("every", "start", "end", "keys"),
    [
        ("month", "2023-11-01", "2024-03-01", ["2023-11-01", "2023-12-01", "2024-01-01", "2024-02-01"]),
        ("month", "9999-11-01", "9999-12-01", ["9999-11-01"]),
        ("day", "2024-02-27", "2024-03-02", ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]),
        ("day", "2023-02-28", "2023-03-01", ["2023-02-28"]),
    ],
)
def test_the_keys_of_partitions_are_the_first_days_of_their_spans(
    every: str, start: str, end: str, keys: list[str]
) -> None:
    spans = {"every": every, "start": dt.date.fromisoformat(start), "end": dt.date.fromisoformat(end)}
    assert PartitionSettings.model_validate(spans).keys() == keys


def test_every_month_of_a_year_and_every_day_of_a_leap_year_has_one_key() -> None:
    year = {"start": dt.date(2024, 1, 1), "end": dt.date(2025, 1, 1)}
    assert PartitionSettings.model_validate({"every": "month", **year}).keys() == [
        f"2024-{m:02}-01" for m in range(1, 13)
    ]
    days = PartitionSettings.model_validate({"every": "day", **year}).keys()
    assert (len(set(days)), days[0], days[-1], days) == (366, "2024-01-01", "2024-12-31", sorted(days))


def test_partitions_are_asked_for_by_name(folder: Path) -> None:
    (folder / "dataops.yaml").write_text(
        f"{HEAD}partitions: {{months: {{every: month, start: 2024-01-01, end: 2024-02-01}}}}\n"
    )
    project = load_project(folder)
    assert project.partition("months").keys() == ["2024-01-01"]
    with pytest.raises(UsedWrongly) as caught:
        project.partition("month")
    assert str(caught.value) == (
        "DP-P003 There are no partitions 'month'; did you mean 'months'? dataops.yaml, partitions. "
        "Correct the name, or list the partitions there."
    )


def test_a_project_is_found_from_any_folder_inside_it(folder: Path) -> None:
    (folder / "src" / "deep").mkdir(parents=True)
    assert load_project(folder / "src" / "deep").root == folder


def test_a_folder_without_a_project_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsedWrongly) as caught:
        load_project(tmp_path)
    assert str(caught.value) == (
        f"DP-P001 There is no dataops.yaml in {tmp_path} or above. Change into a project, or name one with --project."
    )


def test_the_environment_is_the_one_asked_for_else_the_variable_else_dev(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "dataops.yaml").write_text(f"{HEAD}environments: {{dev: {{}}, staging: {{}}, prod: {{}}}}\n")
    assert load_project(folder).environment == "dev"
    monkeypatch.setenv("DATAOPS_ENV", "staging")
    assert load_project(folder).environment == "staging"
    assert load_project(folder, "prod").environment == "prod"
    monkeypatch.setenv("DATAOPS_ENV", "")
    assert load_project(folder).environment == "dev"


def test_an_environment_that_is_not_listed_or_cannot_be_is_refused(folder: Path) -> None:
    with pytest.raises(UsedWrongly) as caught:
        load_project(folder, "dve")
    assert (
        str(caught.value)
        == "DP-P004 dataops.yaml lists no environment 'dve'; did you mean 'dev'? Name one of its environments."
    )
    with pytest.raises(UsedWrongly, match=r"^DP-P006 'Dev' cannot name an environment\."):
        load_project(folder, "Dev")


def test_a_file_of_the_project_is_found_and_one_outside_or_missing_is_refused(folder: Path) -> None:
    inside = folder / "shop"
    (inside / "contracts").mkdir(parents=True)
    (inside / "dataops.yaml").write_text(HEAD)
    (inside / "contracts" / "orders.odcs.yaml").touch()
    (inside / "link.yaml").symlink_to(folder / "dataops.yaml")
    project = load_project(inside)
    assert project.file("contracts/orders.odcs.yaml") == inside / "contracts" / "orders.odcs.yaml"

    def said(name: str) -> str:
        with pytest.raises(UsedWrongly) as caught:
            project.file(name)
        return str(caught.value)

    assert said("contracts/order.odcs.yaml") == (
        "DP-P005 contracts/order.odcs.yaml does not exist; did you mean 'orders.odcs.yaml'? Correct the name."
    )
    assert said("no/such.yaml") == "DP-P005 no/such.yaml does not exist; known: none. Correct the name."
    for outside in ("../dataops.yaml", "/etc/passwd", "link.yaml", "contracts/../../dataops.yaml"):
        assert said(outside) == f"DP-P007 {outside} lies outside the project. Move it into the project."


def test_a_fault_point_that_is_misspelt_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAOPS_FAULTS", "publish.before_comit")
    with pytest.raises(UsedWrongly, match=r"DP-P010 DATAOPS_FAULTS is invalid: no fault point 'publish\.before_comit'"):
        load_project(folder)
