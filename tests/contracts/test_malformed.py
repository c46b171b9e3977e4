"""Ten thousand malformed rows of many kinds in a hundred files: each accounted for, with a reason, twice the same."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.errors import DataOpsError
from dataops_platform.runs.contract_check import Checked, check_file

pytestmark = pytest.mark.journey

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: orders
version: 1.0.0
team: {name: shop}
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: day, logicalType: date, required: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0, maximum: 1000}}
      - {name: state, logicalType: string, required: true, enum: [{value: open}, {value: paid}]}
"""
COLUMNS = ["id", "day", "amount", "state"]
FILES, BAD_ROWS, GOOD_ROWS = 100, 100, 60
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
CODES = {"extra column": "DP-C004", "missing column": "DP-C003"}


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


def said(checked: Checked) -> tuple[object, ...]:
    return checked.audit, checked.unreadable, checked.sample


def test_every_malformed_row_is_refused_for_its_reason_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text(CONTRACT)
    contract, chance, bad, seen = load_contract(path), random.Random(14), 0, set[str]()
    for number in range(FILES):
        file = tmp_path / f"{number}.csv"
        if number % 5 == 4:
            kind = WHOLE[number // 5 % len(WHOLE)]
            rows, _ = lines(["null"], chance)
            file = whole_file(kind, rows, file)
            codes = set()
            for _ in range(2):
                with pytest.raises(DataOpsError) as refused:
                    check_file(contract, file)
                codes.add(refused.value.code)
            assert codes == {CODES.get(kind, "DP-E003")}, (kind, codes)
            bad += len(rows) if kind != "empty file" else 0
            seen.add(kind)
            continue
        kinds = chance.sample(list(ROWS), 4)
        rows, counts = lines(kinds, chance)
        file.write_bytes(text(rows, bom=number % 7 == 0))
        checked = check_file(contract, file)
        audit = checked.audit
        assert audit.rows_in + checked.unreadable == len(rows), (number, counts)
        assert audit.rows_in == audit.rows_audited + audit.rows_refused
        twice = 1 if counts["duplicate key"] else 0  # the good row that has the key
        assert audit.rows_refused + checked.unreadable == len(rows) - counts["good"] + twice, (number, counts)
        failing = {v.rule: v.failing_rows for v in audit.verdicts if v.failing_rows}
        for kind, reason in REASONS.items():
            if counts[kind]:
                named = reason if isinstance(reason, tuple) else (reason,)
                assert sum(failing.get(rule, 0) for rule in named) >= counts[kind], (kind, failing, counts)
        assert said(check_file(contract, file)) == said(checked), "another answer on replay"
        bad += len(rows) - counts["good"]
        seen |= {kind for kind in kinds if counts[kind]} | ({"BOM"} if number % 7 == 0 else set())
    print(f"\n{FILES} files, {bad} malformed rows of {len(seen)} kinds: {', '.join(sorted(seen))}")
    assert seen == {*ROWS, *WHOLE, "BOM"}
    assert bad >= 10_000
