"""Where pandera's own `drop_invalid_rows` does not do what its rules say, and what this engine does instead.

The list is kept true in both directions: when pandera mends a case, its test fails here, and the case goes from the
list in docs/contracts.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pytest

from dataops_platform.contracts.compiled import compile_contract
from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.engine import judge
from dataops_platform.kit.errors import Refused

Written = Callable[..., Contract]
ROWS = {"id": [1, 2, 2, -1], "word": ["x", "y", "z", "w"]}
ID = "{name: id, logicalType: integer, logicalTypeOptions: {minimum: 0}}"


def kept_by_engine(contract: Contract, frame: pl.DataFrame) -> list[str]:
    """The words of the rows that hold the contract."""
    with duckdb.connect() as connection:
        connection.register("given", frame.to_arrow())
        judged = judge(
            connection, "(select *, row_number() over () as _dp_line from given)", compile_contract(contract)
        )
        judged.split()
        return [
            word for (word,) in connection.execute(f"select word from {judged.good()} order by _dp_line").fetchall()
        ]


def kept_by_polars(columns: dict[str, Any], frame: pl.DataFrame, **options: Any) -> list[str]:
    """The words of the rows that pandera leaves of a polars frame."""
    import pandera.polars as pandera

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schema = pandera.DataFrameSchema(columns, drop_invalid_rows=True, **options)
        return list(schema.validate(frame, lazy=True)["word"])


def test_polars_rows_with_the_same_key_of_the_frame_all_stay(contract: Written) -> None:
    import pandera.polars as pandera

    columns = {"id": pandera.Column(pl.Int64, pandera.Check.ge(0)), "word": pandera.Column(pl.String)}
    frame = pl.DataFrame(ROWS)
    assert kept_by_polars(columns, frame, unique=["id"]) == ["x", "y", "z"]
    found = contract(ID.replace("}}", "}, primaryKey: true}"), "{name: word, logicalType: string}")
    assert kept_by_engine(found, frame) == ["x"]


def test_polars_a_column_of_another_type_passes(contract: Written) -> None:
    import pandera.polars as pandera

    columns = {"id": pandera.Column(pl.Int64, pandera.Check.ge(0)), "word": pandera.Column(pl.Int64)}
    frame = pl.DataFrame(ROWS)
    assert kept_by_polars(columns, frame) == ["x", "y", "z"]
    assert kept_by_engine(contract(ID, "{name: word, logicalType: integer}"), frame) == []


def test_polars_a_column_that_is_not_there_passes(contract: Written) -> None:
    import pandera.polars as pandera

    names = {"id": pandera.Column(pl.Int64), "word": pandera.Column(pl.String), "more": pandera.Column(pl.String)}
    frame = pl.DataFrame(ROWS)
    assert kept_by_polars(names, frame) == ["x", "y", "z", "w"]
    found = contract(ID, "{name: word, logicalType: string}", "{name: more, logicalType: string}")
    with pytest.raises(Refused, match="DP-C003"):
        kept_by_engine(found, frame)


def test_pandas_good_rows_whose_label_a_bad_row_has_are_dropped_with_it(contract: Written) -> None:
    import pandera.pandas as pandera

    frame = pd.DataFrame(ROWS, index=[0, 1, 2, 2])
    schema = pandera.DataFrameSchema({"id": pandera.Column(int, pandera.Check.ge(0))}, drop_invalid_rows=True)
    assert list(schema.validate(frame, lazy=True)["word"]) == ["x", "y"]
    found = contract(ID, "{name: word, logicalType: string}")
    assert kept_by_engine(found, pl.DataFrame(ROWS)) == ["x", "y", "z"]


def test_every_case_is_listed(root: Path) -> None:
    listed = (root / "docs" / "contracts.md").read_text()
    section = listed.partition("## Where pandera is wrong")[2].partition("\n## ")[0]
    cases = [name for name in globals() if name.startswith(("test_polars", "test_pandas"))]
    assert section.count("\n- ") == len(cases)
