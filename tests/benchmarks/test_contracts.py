"""The benchmark of contracts knows what its rows hold, and notices a side that says something else."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from benchmarks.contracts.__main__ import main
from benchmarks.contracts.findings import Finding, differences, each
from benchmarks.contracts.goals import goals
from benchmarks.contracts.ours import recheck, verdicts
from benchmarks.contracts.planted import FAULTS, RULES, Key, planted, planted_in_addition
from benchmarks.contracts.process import Cost
from benchmarks.contracts.scan import NUMBERS, scan_sql
from benchmarks.contracts.shipments import COLUMNS, contract_for, make, make_addition, make_broken
from benchmarks.contracts.side import Task
from benchmarks.contracts.sides import Side
from dataops_platform.contracts.odcs import load_contract

ROWS = 20_000
STAND_IN = "tests.benchmarks.stand_in"
KEYS = ("integer", "string")


def task(folder: Path, key: Key, rows: int = ROWS) -> Task:
    return Task(
        str(make(rows, key, folder)),
        str(make_addition(rows, key, folder)),
        str(contract_for(key, folder)),
        key,
        str(folder),
    )


@pytest.mark.parametrize("key", KEYS)
def test_the_contract_finds_what_was_planted(key: Key, tmp_path: Path) -> None:
    found = verdicts(task(tmp_path, key))
    assert {f.rules[0]: f.failing_rows for f in found if f.failing_rows} == {
        "sku:pattern": 2,
        "quantity:maximum": 2,
        "status:enum": 2,
        "customer:required": 2,
        "primary_key": 4,
    }
    assert differences(found, planted(ROWS)) == []


@pytest.mark.parametrize("rows", [10_000, 19_001, 19_500])
def test_a_last_period_that_is_not_whole_has_the_faults_that_are_counted(rows: int, tmp_path: Path) -> None:
    judged = task(tmp_path, "integer", rows)
    assert differences(verdicts(judged), planted(rows)) == []
    assert differences(recheck(judged), planted_in_addition(rows)) == []


@pytest.mark.parametrize("key", KEYS)
def test_rows_that_come_later_have_keys_of_earlier_ones(key: Key, tmp_path: Path) -> None:
    found = recheck(task(tmp_path, key))
    assert {f.rules[0]: f.failing_rows for f in found if f.failing_rows} == dict.fromkeys(FAULTS, 2)


@pytest.mark.parametrize("key", KEYS)
def test_a_small_file_breaks_each_rule_once(key: Key, tmp_path: Path) -> None:
    broken = Task(str(make_broken(key, tmp_path)), "", str(contract_for(key, tmp_path)), key, "")
    assert differences(verdicts(broken), dict.fromkeys(RULES, 1) | {"primary_key": 2}) == []


def test_the_contract_has_exactly_the_25_rules(tmp_path: Path) -> None:
    contract = load_contract(contract_for("string", tmp_path))
    assert sorted(rule.name for rule in contract.rules if rule.kind != "type") == sorted(RULES)
    assert (len(RULES), len(contract.columns), contract.column("id").logical_type) == (25, 12, "string")
    assert contract.unenforced == ()


def test_the_same_file_is_made_again(tmp_path: Path) -> None:
    one, other = (make(ROWS, "string", tmp_path / name) for name in ("one", "other"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("key", KEYS)
def test_the_bare_scan_reads_every_column(key: Key, tmp_path: Path) -> None:
    ((_, plan),) = duckdb.sql(f"explain analyze {scan_sql(task(tmp_path, key))}").fetchall()
    reading = plan[plan.index("Projections:") :]
    assert tuple(NUMBERS) == COLUMNS
    assert [column for column in COLUMNS if column not in reading] == []
    assert "20,000 rows" in plan or "20000 rows" in plan


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        ([], []),
        ([Finding(("sku:pattern",), 3)], ["sku:pattern: found 3 rows, planted 2"]),
        ([Finding(("sku:pattern",), 0)], ["sku:pattern: found 0 rows, planted 2"]),
        ([Finding(("sku:pattern",), None)], []),
        ([Finding(("note:min_length",), None)], ["note:min_length: found broken, planted 0 rows"]),
        ([Finding(("price:maximum",), 1)], ["price:maximum: found 1 rows, planted 0"]),
    ],
)
def test_a_wrong_finding_is_said_in_words(findings: list[Finding], said: list[str]) -> None:
    others = [f for f in each(planted(ROWS)) if f.rules[0] not in {rule for one in findings for rule in one.rules}]
    assert differences([*others, *findings], planted(ROWS)) == said


def test_rules_may_be_counted_together_but_each_once() -> None:
    both = ("quantity:minimum", "quantity:maximum")
    others = [f for f in each(planted(ROWS)) if f.rules[0] not in both]
    assert differences([*others, Finding(both, 2)], planted(ROWS)) == []
    assert differences(others, planted(ROWS)) == [f"{rule} was not judged" for rule in both]
    assert differences([*each(planted(ROWS)), Finding(("id:type",), 0)], planted(ROWS)) == ["id:type is no rule"]
    assert "quantity:minimum was judged 2 times" in differences([*each(planted(ROWS)), Finding(both, 2)], planted(ROWS))


def benchmark(folder: Path, *modes: str) -> int:
    """Runs the command on sides that do as told."""
    sides = [Side(mode, STAND_IN, mode) for mode in modes]
    options = ["--rows", str(ROWS), "--rounds", "1", "--key", "integer", "--cache", str(folder)]
    limits = ["--seconds", "2", "--memory-gb", "0.3", "--json", str(folder / "figures.json")]
    return main([*options, *limits], sides)


def test_the_command_fails_when_a_side_finds_another_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark(tmp_path, "truth", "one row more", "blind to a rule") == 1
    out = capsys.readouterr().out
    assert "WRONG VERDICT: integer key, one row more: round 1 of 1: sku:pattern: found 3 rows, planted 2" in out
    assert "blind to a rule: proof, every rule broken: note:max_length: found 0 rows, planted 1" in out
    written = json.loads((tmp_path / "figures.json").read_text())["keys"]["integer"]["sides"]
    assert {name: side["median"] is None for name, side in written.items()} == {
        "truth": False,
        "one row more": True,
        "blind to a rule": True,
    }


def test_a_side_that_fails_is_shown_with_its_reason_and_the_others_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmark(tmp_path, "truth", "breaks", "takes memory") == 0
    lines = {line[:20].strip(): line[20:].strip() for line in capsys.readouterr().out.splitlines()}
    assert lines["breaks"] == "FAILED: ValueError: no such column"
    assert lines["takes memory"] == "FAILED: took more than 0.3 GB"
    assert "FAILED" not in lines["truth"]


@pytest.mark.journey
def test_a_side_that_takes_too_long_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert benchmark(tmp_path, "hangs") == 0
    assert "FAILED: took more than 2 s" in capsys.readouterr().out


def test_goals_are_met_missed_or_without_a_figure() -> None:
    costs = {
        "scan": Cost(1, 2.0, 0.1),
        "copy": Cost(1, 6.0, 0.1),
        "ours:verdicts": Cost(1, 5.0, 0.7),
        "ours:full": Cost(1, 20.0, 1),
        "pandera:polars": Cost(1, 20.0, 3),
        "patito": Cost(1, 8.0, 2),
    }
    found = goals(costs, {"pandera:polars", "patito", "dataframely"})
    assert [(goal.found, goal.most, goal.met) for goal in found] == [
        (5.0, 5.0, True),
        (5.0, 0.6 * 8.0, False),
        (5.0, 8.0, True),
        (0.7, 0.6, False),
        (20.0, 20.0, True),
        (None, 1.0, None),
    ]
    assert "patito" in found[1].words
