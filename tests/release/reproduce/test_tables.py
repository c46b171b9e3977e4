"""Each level of equality is told from the others, on tables of a few rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dataops_platform.manifests.manifest import Head
from dataops_platform.release.reproduce.result import LEVELS, Comparison, Reproduction
from dataops_platform.release.reproduce.tables import compare_table
from dataops_platform.warehouse import expiry

pytestmark = pytest.mark.journey

ROWS = "select i as id, i * 0.1::double as amount, 'c' || i as name from range(50) t(i)"
NULLS = "select 1 as id, null::double as amount union all select 2, 'nan'::double"
SCORED = "select i as id, i * 0.01::double as probability, i > 3 as predicted, '{}' as model_digest from range(9) t(i)"


def twice(world: Any, first: str, second: str, **about: Any) -> tuple[Head, Head]:
    """The heads of one table written after another."""
    return world.write(first, "sales", **about), world.write(second, "sales", **about)


def level(world: Any, first: str, second: str, **about: Any) -> tuple[str, str]:
    found = compare_table(world.lake, *twice(world, first, second, **about), 1e-6)
    return found.level, found.message


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (ROWS, ("bytes", "")),
        (f"{ROWS} order by id desc", ("content", "the same rows, written to other files")),
        (ROWS.replace("i * 0.1::double", "i * 0.1::double + 1e-9"), ("tolerance", "numbers differ by up to 1.0e-09")),
        (ROWS.replace("i * 0.1::double", "i * 0.1::double + 0.5"), ("different", "numbers differ by up to 0.5")),
        (ROWS.replace("'c' || i", "case when i = 7 then 'x' else 'c' || i end"), ("different", None)),
        (ROWS.replace("50", "51"), ("different", "51 rows instead of 50")),
        (ROWS.replace("as name", "as title"), ("different", "other columns")),
    ],
)
def test_a_table_reaches_the_level_of_what_was_changed(world: Any, second: str, expected: tuple[str, Any]) -> None:
    found = level(world, ROWS, second)
    assert (found[0], found[1] if expected[1] is not None else None) == expected


def test_one_changed_row_is_found(world: Any) -> None:
    changed = ROWS.replace("'c' || i", "case when i = 49 then 'c' else 'c' || i end")
    assert level(world, ROWS, changed) == ("different", "1 of 50 rows are others")


def test_no_number_is_no_number(world: Any) -> None:
    assert level(world, NULLS, f"select * from ({NULLS}) order by id desc")[0] == "content"
    assert level(world, NULLS, NULLS.replace("null::double", "0.0::double"))[0] == "different"
    assert level(world, NULLS, NULLS.replace("'nan'::double", "0.0::double"))[0] == "different"


def test_predictions_are_equal_whichever_model_made_them(world: Any) -> None:
    one, two = SCORED.format("sha256:1"), SCORED.format("sha256:2")
    assert level(world, one, two, stage="score") == ("predictions", "the same predictions of another model")
    assert level(world, one, two)[0] == "different", "in any other table the column counts"
    near = two.replace("i * 0.01::double", "i * 0.01::double + 1e-8")
    assert level(world, one, near, stage="score")[0] == "tolerance"
    assert level(world, one, two.replace("i > 3", "i > 4"), stage="score")[0] == "different"


def test_partitions_are_compared_one_by_one(world: Any) -> None:
    parts = "select i as id, case when i < 5 then 'a' else 'b' end as _dp_partition from range({}) t(i)"
    was, now = twice(world, parts.format(10), parts.format(11), partitions=["a", "b"])
    found = compare_table(world.lake, was, now, 1e-6)
    assert (found.level, found.message) == ("different", "6 rows instead of 5 in 1 of 2 partitions")
    only_a = Head(was.name, "table", was.version, (was.partitions["a"],), was.area)
    assert compare_table(world.lake, only_a, now, 1e-6).level == "bytes"


def test_rows_that_were_changed_in_the_lake_itself_are_found(world: Any) -> None:
    was, now = twice(world, ROWS, ROWS)
    (path, _), *_ = expiry.files_of(world.lake.connection, "dev__build", "sales", was.version)
    (other, _), *_ = expiry.files_of(world.lake.connection, "dev__build", "sales", now.version)
    assert compare_table(world.lake, was, now, 1e-6).level == "bytes"
    world.lake.connection.execute(
        f"copy (select id, amount * 2 as amount, name from read_parquet('{other}')) to '{path}' (format parquet, "
        "field_ids {id: 1, amount: 2, name: 3})"
    )
    found = compare_table(world.lake, was, now, 1e-6)
    assert (found.level, found.message) == ("different", "the rows that are kept are not those that were recorded")
    assert Path(path).exists()


def test_of_what_was_given_up_only_the_digest_can_be_compared(world: Any) -> None:
    was, now = twice(world, ROWS, ROWS)
    changed = world.write(ROWS.replace("50", "60"), "sales")
    expiry.expire(world.lake.connection, [int(was.version)])
    assert compare_table(world.lake, was, now, 1e-6) == Comparison(
        "sales", "table", "content", "only its digest is kept: its files were given up"
    )
    assert compare_table(world.lake, was, changed, 1e-6).level == "different"
    assert compare_table(world.lake, was, None, 1e-6).level == "different"


def test_what_is_below_the_level_asked_for() -> None:
    parts = tuple(Comparison(name, "table", name) for name in LEVELS)
    made = Reproduction("release 1", "reproduce_1", "", {}, parts, ())
    assert {asked: len(made.below(asked)) for asked in LEVELS} == {
        "bytes": 4,
        "content": 3,
        "predictions": 2,
        "tolerance": 1,
        "different": 0,
    }
