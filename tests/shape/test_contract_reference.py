"""`docs/contracts.md` says what the code does: its tables are held to the records, its examples are run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner

from dataops_platform.cli.main import app
from dataops_platform.contracts import document
from dataops_platform.contracts.column_types import APPLICABLE, BOUNDS, SQL_TYPES
from dataops_platform.contracts.contract import RuleKind
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.validation import StrictModel
from dataops_platform.kit.yaml_file import MAX_BYTES, MAX_DEPTH
from dataops_platform.testing import assert_breaks, assert_holds
from dataops_platform.testing.inputs import contract_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "contracts.md").read_text()
PARSER = ("odcs", "column_types", "quality_rules")
KINDS = ("enforced", "informational", "not enforced")
MODELS = {
    "the file": document.Document,
    "description": document.Description,
    "team": document.Team,
    "a member": document.TeamMember,
    "a role": document.Role,
    "an SLA property": document.Sla,
    "the table": document.SchemaObject,
    "a column": document.Property,
    "a custom property": document.CustomProperty,
    "an enum value": document.EnumValue,
    "a relationship": document.Relationship,
    "logicalTypeOptions": document.TypeOptions,
    "a quality rule": document.Quality,
    "arguments": document.Arguments,
}
TOLD = {("the file", "roles"), ("a role", "role")}
"""What `odcs` tells as not enforced by what it is, not by a mark on the key."""

HEAD = "apiVersion: v3.2.0\nkind: DataContract\nid: o\nversion: 1.0.0\nteam: {name: t}\nschema:\n  - name: orders\n"
Row = tuple[list[str], ...]


def tables(text: str) -> dict[str, list[Row]]:
    """Every table by the first cell of its header; of each cell what is quoted as code, else the words."""
    found: dict[str, list[Row]] = {}
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = [line.strip().strip("|").split(" | ") for line in block.splitlines()]
        rows = [tuple(re.findall(r"`([^`]+)`", cell) or [cell.strip()] for cell in line) for line in lines[2:]]
        found[lines[0][0].strip()] = rows
    return found


TABLES = tables(TEXT)


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each block of code."""
    yield from re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def of(language: str) -> list[str]:
    return [block for kind, block in blocks(TEXT) if kind == language]


def undocumented(text: str, models: dict[str, type[StrictModel]]) -> list[str]:
    """Keys that the reference lacks, has too many of, or says something wrong about."""
    found = []
    for name, model in models.items():
        said = {key: row[1][0] for row in tables(text)[f"key of {name}"] for key in row[0]}
        keys = {
            field.alias or key: document.NOT_ENFORCED in field.metadata for key, field in model.model_fields.items()
        }
        found += [f"{name}: {key}" for key in sorted(said.keys() ^ keys.keys())]
        for key in sorted(said.keys() & keys.keys()):
            unenforced = keys[key] or (name, key) in TOLD
            if unenforced != (said[key] == "not enforced") or said[key] not in KINDS:
                found.append(f"{name}: {key} is {said[key]!r}")
    return found


def column(text: str, quality: str = "") -> str:
    """A contract with one column."""
    return f"{HEAD}    properties:\n      - {text}\n" + (f"    quality: [{quality}]\n" if quality else "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the contract and the rows of the example."""
    (tmp_path / "orders.odcs.yaml").write_text(of("yaml")[0])
    (tmp_path / "orders.csv").write_text(of("csv")[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_key_is_in_the_reference_with_what_becomes_of_it() -> None:
    records = {m for m in vars(document).values() if isinstance(m, type) and issubclass(m, StrictModel)}
    assert records - {StrictModel, document.NonNullModel, document.Described} == set(MODELS.values())
    assert undocumented(TEXT, MODELS) == []


def test_a_key_the_reference_lacks_or_misjudges_would_be_seen() -> None:
    class Wider(document.Arguments):
        newKey: str = ""

    assert undocumented(TEXT, {"arguments": Wider}) == ["arguments: newKey"]
    wrong = TEXT.replace("| `servers`, `price` | not enforced |", "| `servers`, `price` | informational |")
    assert undocumented(wrong, MODELS) == ["the file: price is 'informational'", "the file: servers is 'informational'"]


def test_what_is_called_enforced_is_read_and_what_is_kept_is_not() -> None:
    parser = (ROOT / "dataops_platform" / "contracts" / f"{name}.py" for name in PARSER)
    source = "\n".join(path.read_text() for path in parser)
    read = set(re.findall(r"\.([a-zA-Z]\w*)|\"(\w+)\"", source))
    words = {word for pair in read for word in pair}
    by_the_record = {"apiVersion", "kind", "schema", *document.LIMITS}
    for name in MODELS:
        for row in TABLES[f"key of {name}"]:
            for key in row[0]:
                if row[1] == ["enforced"] and (name, key) not in {
                    ("the table", "logicalType"),
                    ("a relationship", "type"),
                }:
                    assert key in words | by_the_record, f"{name}: {key} is called enforced, and nothing reads it"
    ignored = [r for name in ("the file", "a column") for r in TABLES[f"key of {name}"] if r[1] == ["informational"]]
    kept = {key for r in ignored for key in r[0]}
    elsewhere = {"id", "name", "customProperties"}  # read of the file, of a rule, of a column
    assert kept & words <= elsewhere, "called informational, and read"


def test_every_kind_of_rule_and_every_option_is_in_the_reference() -> None:
    assert sorted(kind for row in TABLES["kind"] for kind in row[0]) == sorted(get_args(RuleKind))
    options = {
        key: set(row[2]) for row in TABLES["key of logicalTypeOptions"] if row[1] == ["enforced"] for key in row[0]
    }
    assert options == {key: {kind for kind, (says, _) in APPLICABLE.items() if key in says} for key in BOUNDS}


def test_types_are_those_of_the_code_first_the_one_that_stands() -> None:
    said = {row[0][0]: row[1] for row in TABLES["logicalType"]}
    assert said.pop("number") == [*SQL_TYPES["number"], "decimal(p,s)"]
    assert said == {kind: list(types) for kind, types in SQL_TYPES.items() if kind != "number"}


@pytest.mark.parametrize("row", TABLES["logicalType"][1:], ids=lambda row: row[0][0])
def test_the_texts_count_or_do_not_as_the_reference_says(row: Row) -> None:
    (logical,), physical, good, bad = row
    for sql_type in (physical[0], physical[-1].replace("(p,s)", "(9,2)")):
        text = column(f"{{name: a, logicalType: {logical}, physicalType: '{sql_type}'}}")
        assert_holds(text, [{"a": value} for value in good])
        assert_breaks(text, [{"a": value} for value in bad], {"a:type": len(bad)})


@pytest.mark.parametrize("row", TABLES["metric"], ids=lambda row: row[0][0] + row[1][0])
def test_a_metric_is_the_sql_that_the_reference_says(row: Row) -> None:
    (metric,), (arguments,), (sql,) = row
    quality = f"{{type: library, metric: {metric}, arguments: {arguments}, mustBe: 0}}"
    rules = contract_of(column(f"{{name: a, logicalType: string, quality: [{quality}]}}")).rules
    assert rules[-1].argument == sql


def test_every_metric_is_in_the_reference() -> None:
    assert {row[0][0] for row in TABLES["metric"]} == set(get_args(document.Metric))


@pytest.mark.parametrize("row", TABLES["a column written as"], ids=lambda row: row[1][0])
def test_what_is_refused_is_refused_in_those_words(row: Row) -> None:
    (text,), (words,) = row
    with pytest.raises(UsedWrongly, match=r"^DP-[CY]\d+ contract\.odcs\.yaml:9:\d+") as said:
        contract_of(column(text))
    assert words in str(said.value)


def test_limits_of_files_are_those_of_the_code() -> None:
    assert f"over {MAX_BYTES} bytes" in TEXT
    assert f"deeper than {MAX_DEPTH} levels" in TEXT
    with pytest.raises(UsedWrongly, match=f"DP-Y007 .* nested deeper than {MAX_DEPTH} levels"):
        contract_of(HEAD + "    context: " + "[" * 60 + "]" * 60 + "\n")
    with pytest.raises(UsedWrongly, match=f"DP-Y002 .* at most {MAX_BYTES} are read"):
        contract_of(HEAD + "#" * MAX_BYTES + "\n")


def test_every_unit_of_freshness_is_one() -> None:
    (units,) = (re.findall(r"`(\w+)`", line) for line in TEXT.splitlines() if line.startswith("| `unit` |"))
    for unit in units[1:]:
        head = HEAD.replace("schema:", f"slaProperties: [{{property: freshness, value: 1, unit: {unit}}}]\nschema:")
        found = contract_of(f"{head}    properties: [{{name: a, logicalType: integer}}]\n")
        assert found.freshness is not None


def test_every_contract_of_the_reference_loads() -> None:
    whole, part, _ = of("yaml")
    assert contract_of(whole).unenforced
    assert len(contract_of(HEAD + "".join(f"    {line}\n" for line in part.splitlines())).rules) > 8


def test_commands_print_what_the_reference_says(folder: Path) -> None:
    followed = [(one, two) for one, two in zip(list(blocks(TEXT)), list(blocks(TEXT))[1:], strict=False)]
    examples = [(shell, text) for (first, shell), (second, text) in followed if (first, second) == ("bash", "text")]
    assert len(examples) == 4
    for shell, text in examples:
        out = "".join(run(folder, line) for line in shell.splitlines())
        printed = {" ".join(line.split()) for line in out.splitlines()}
        for line in text.splitlines():
            assert any(" ".join(line.split()) == p or p.startswith(" ".join(line.split())[:-1]) for p in printed), out


def run(folder: Path, line: str) -> str:
    """What a line of a shell prints; `dataops` in this process."""
    words = shlex.split(line)
    if words[0] != "dataops":
        return subprocess.run(["bash", "-euc", line], cwd=folder, capture_output=True, text=True, check=True).stdout
    return CliRunner().invoke(app, words[1:], catch_exceptions=False).output


def test_the_waiver_of_the_reference_lets_the_change_of_the_reference_pass(folder: Path) -> None:
    project = folder / "project"
    (project / "contracts").mkdir(parents=True)
    (project / "dataops.yaml").write_text("project: shop\nowner: team:shop\n")
    (project / "contracts" / "orders.odcs.yaml").write_text(of("yaml")[0].replace("minimum: 0", "minimum: -5"))
    for waivers, exit_code in (("", 1), (of("yaml")[2], 0)):
        (project / "contracts" / "waivers.yaml").write_text(waivers)
        compared = ["contracts", "diff", "orders.odcs.yaml", str(project / "contracts"), "--project", str(project)]
        said = CliRunner().invoke(app, compared, catch_exceptions=False)
        assert (said.exit_code, "Waived by team:shop until 2099-12-31" in said.output) == (exit_code, not exit_code)


def test_a_contract_goes_to_pandera_and_back(folder: Path) -> None:
    (block,) = (block for block in of("python") if "to_pandera" in block)
    exec(compile(block, "docs/contracts.md", "exec"), {})


@pytest.mark.journey
def test_the_tests_of_the_reference_pass(folder: Path) -> None:
    (block,) = (block for block in of("python") if "assert_holds" in block)
    (folder / "test_orders.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.journey
def test_the_check_on_an_asset_is_red(folder: Path) -> None:
    (block,) = (block for block in of("python") if "with_contract" in block)
    (folder / "team.py").write_text(
        f"{block}\nresult = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)\n"
        "found = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}\nprint(found)\n"
    )
    done = subprocess.run([sys.executable, "team.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout == "{'contract': False, 'large': False}\n", done.stderr


@pytest.mark.journey
def test_the_commands_about_refused_rows_work(published: Path, dataops: Callable[..., Any]) -> None:
    (shell,) = (block for block in of("bash") if "quarantine" in block)
    for line in shell.splitlines():
        said = dataops(*shlex.split(line)[1:])
        assert said.exit_code == 0, said.text
    assert "credit notes" in (published / "contracts" / "orders.quarantine.yaml").read_text()
