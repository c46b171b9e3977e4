"""Ten thousand malformed rows of many kinds in a hundred files: each accounted for, with a reason, twice the same."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataops_platform.contract_tools.check import CheckResult, check_file
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import DataOpsError
from dataops_platform.manifests.manifest import WHOLE as WHOLE_TABLE
from dataops_platform.settings.project import load_project
from dataops_platform.stages.clean.run import CleanStep
from dataops_platform.stages.extract.run import ExtractStep
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_of
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.contract_head import contract_head
from tests.fixtures.lakes import ANN

pytestmark = pytest.mark.journey

CONTRACT = (
    contract_head()
    + """\
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: day, logicalType: date, required: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 1000}}
      - {name: state, logicalType: string, required: true, enum: [{value: open}, {value: paid}]}
"""
)
COLUMNS = ["id", "day", "amount", "state"]
FILES, BAD_ROWS, GOOD_ROWS = 100 if CAMPAIGN else 30, 100, 60
Row = list[str]
ROWS: dict[str, Callable[[Row, random.Random], Row]] = {
    "wrong type": lambda row, _: [row[0], row[1], "ten", row[3]],
    "null": lambda row, _: [row[0], row[1], "", row[3]],
    "duplicate key": lambda row, _: ["1", *row[1:]],
    "range": lambda row, chance: [row[0], row[1], chance.choice(["-0.01", "1000.5"]), row[3]],
    "enum": lambda row, chance: [*row[:3], chance.choice(["Open", "opne", " paid"])],
    "ragged": lambda row, chance: chance.choice([row[:3], [*row, "more"]]),
    "bad date": lambda row, chance: [row[0], chance.choice(["2024-02-30", "01/02/2024", "2024-13-01"]), *row[2:]],
    "huge integer": lambda row, _: ["9" * 40, *row[1:]],
    "NaN or inf": lambda row, chance: [row[0], row[1], chance.choice(["NaN", "inf", "-Infinity"]), row[3]],
    "encoding": lambda row, _: [*row[:3], "op\udcffen"],
}
"""Kinds of rows that are refused one by one; the others spoil the whole file."""
WHOLE = ("extra column", "missing column", "empty file", "truncated gz", "truncated parquet")
REASONS = {
    "wrong type": "amount:type",
    "null": "amount:required",
    "duplicate key": "primary_key",
    "range": ("amount:minimum", "amount:maximum"),
    "enum": "state:enum",
    "bad date": "day:type",
    "huge integer": "id:type",
    "NaN or inf": "amount:type",
}
CODES = {"extra column": "DP-C004", "missing column": "DP-C003", "empty file": "DP-E011"}


def lines(kinds: list[str], chance: random.Random) -> tuple[list[Row], Counter[str]]:
    """Rows of a file, good ones and bad ones mixed, and how many there are of each kind."""
    made: list[tuple[str, Row]] = []
    for number in range(GOOD_ROWS + BAD_ROWS):
        row = [str(number + 1), f"2024-01-{number % 28 + 1:02}", str(number % 999), "open"]
        kind = "good" if number < GOOD_ROWS else chance.choice(kinds)
        made.append((kind, row if kind == "good" else ROWS[kind](row, chance)))
    chance.shuffle(made)
    return [row for _, row in made], Counter(kind for kind, _ in made)


def text(rows: list[Row], *, bom: bool = False) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])
    return (b"\xef\xbb\xbf" if bom else b"") + out.getvalue().encode("utf-8", "surrogateescape")


def whole_file(kind: str, rows: list[Row], path: Path) -> Path:
    if kind == "empty file":
        path.write_bytes(b"")
    elif kind == "truncated gz":
        path = path.with_suffix(".csv.gz")
        path.write_bytes(gzip.compress(text(rows))[:-40])
    elif kind == "truncated parquet":
        path = path.with_suffix(".parquet")
        pq.write_table(pa.table({name: [row[i] for row in rows] for i, name in enumerate(COLUMNS)}), path)
        path.write_bytes(path.read_bytes()[:-60])
    else:
        found = text(rows).decode().splitlines()
        cut = [line.rpartition(",")[0] if kind == "missing column" else f"{line},x" for line in found]
        path.write_text("\n".join(cut) + "\n")
    return path


@dataclass(frozen=True)
class File:
    """A file, its rows, how many there are of each kind; `whole` says what spoils all of it."""

    path: Path
    rows: list[Row]
    counts: Counter[str]
    whole: str = ""
    bom: bool = False


def files(folder: Path) -> Iterator[File]:
    """Files, the same each time; every fifth cannot be read as the table."""
    chance = random.Random(14)
    for number in range(FILES):
        path, bom = folder / f"{number}.csv", number % 7 == 0
        if number % 5 == 4:
            kind = WHOLE[number // 5 % len(WHOLE)]
            rows, counts = lines(["null"], chance)
            yield File(whole_file(kind, rows, path), rows, counts, kind)
        else:
            rows, counts = lines(chance.sample(list(ROWS), 4), chance)
            path.write_bytes(text(rows, bom=bom))
            yield File(path, rows, counts, bom=bom)


def said(checked: CheckResult) -> tuple[object, ...]:
    return checked.audit, checked.unreadable, checked.sample


def test_every_malformed_row_is_refused_for_its_reason_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    contract, bad, seen = load_contract(path), 0, set[str]()
    for file in files(tmp_path):
        if file.whole:
            codes = set()
            for _ in range(2):
                with pytest.raises(DataOpsError) as refused:
                    check_file(contract, file.path)
                codes.add(refused.value.code)
            assert codes == {CODES.get(file.whole, "DP-E003")}, (file.whole, codes)
            bad += len(file.rows) if file.whole != "empty file" else 0
            seen.add(file.whole)
            continue
        counts = file.counts
        checked = check_file(contract, file.path)
        audit = checked.audit
        assert audit.rows_in + checked.unreadable == len(file.rows), file
        assert audit.rows_in == audit.rows_audited + audit.rows_refused
        twice = 1 if counts["duplicate key"] else 0  # the good row that has the key
        assert audit.rows_refused + checked.unreadable == len(file.rows) - counts["good"] + twice, file
        failing = {v.rule: v.failing_rows for v in audit.verdicts if v.failing_rows}
        for kind, reason in REASONS.items():
            if counts[kind]:
                named = reason if isinstance(reason, tuple) else (reason,)
                assert sum(failing.get(rule, 0) for rule in named) >= counts[kind], (kind, failing, counts)
        assert said(check_file(contract, file.path)) == said(checked), "another answer on replay"
        bad += len(file.rows) - counts["good"]
        seen |= {kind for kind in counts if kind != "good"} | ({"BOM"} if file.bom else set())
    print(f"\n{FILES} files, {bad} malformed rows of {len(seen)} kinds: {', '.join(sorted(seen))}")
    assert seen == {*ROWS, *WHOLE, "BOM"}
    assert bad >= 100 * FILES


def kept(lake: Lake) -> tuple[list[tuple[object, ...]], ...]:
    """What the lake has: the audited rows, and the rows and the lines in quarantine with their reasons."""
    return tuple(
        lake.connection.execute(f"select {columns} from lake.dev__build.{table} order by all").fetchall()
        for table, columns in {
            "orders": "*",
            "orders__quarantine": "_dp_file, _dp_line, rules, raw",
            "raw_orders__quarantine": "_dp_file, _dp_line, rules, raw",
        }.items()
    )


def test_what_goes_into_the_lake_is_audited_or_in_quarantine_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "dataops.yaml").write_text("project: shop\nowner: team:shop\n")
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    project, contract, before, quarantined = load_project(tmp_path), load_contract(path), None, 0
    clean = CleanStep(project, "orders", "raw_orders", contract, null_values=("",), max_refused_share=1)
    with lake_of(project) as lake:
        for number, file in enumerate(files(tmp_path)):
            extract = ExtractStep(project, "raw_orders", file.path.name, max_refused_share=1)
            found = set()
            for run in ("first",) if number % 4 else ("first", "again"):
                try:
                    for step in (extract, clean):
                        step.run(lake, RunContext(run, ANN, utc_now), [WHOLE_TABLE])
                except DataOpsError as error:
                    assert error.code == CODES.get(file.whole, "DP-E003"), (file, error)
                    assert before is not None and kept(lake)[:2] == before[:2], "something of a refused file is there"
                    continue
                assert not file.whole
                audited, refused, no_rows = before = kept(lake)
                assert len(audited) + len(no_rows) + len(refused) == len(file.rows), file.path.name
                places = [(at[0], at[1]) for at in (*no_rows, *refused)]
                doubled = 1 if file.counts["duplicate key"] else 0  # the good row that has the key
                assert len(set(places)) == len(places) == BAD_ROWS + doubled, file.path.name
                assert {name for name, _ in places} == {file.path.name}
                assert all(reasons and raw for _, _, reasons, raw in (*no_rows, *refused))
                found.add(repr(before))
                quarantined += len(places) if run == "first" else 0
            assert len(found) == (0 if file.whole else 1), "another answer on replay"
    print(f"\n{quarantined} rows of {FILES} files in quarantine, each with its reason")
