"""Two versions of a table, compared: examples small enough to do by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pytest

from dataops_platform.release.promotion.differences.row_diff import RowChanges, compare_rows, shares, version_of

SEEN = {"id", "region", "amount", "name"}


def compared(before: str, after: str, key: Sequence[str] = ("id",), visible: Any = SEEN) -> RowChanges:
    with duckdb.connect() as connection:
        connection.execute(f"create table old as {before}")
        connection.execute(f"create table new as {after}")
        return compare_rows(connection, version_of(connection, "old"), version_of(connection, "new"), key, visible)


def rows(columns: str, *values: str) -> str:
    return f"select * from (values {', '.join(values)}) as t({columns})"


def counts(changes: RowChanges) -> tuple[int, int, int]:
    return changes.added, changes.removed, changes.changed


def test_rows_are_added_removed_and_changed_by_key() -> None:
    found = compared(
        rows("id, amount, name", "(1, 10, 'a')", "(2, 20, 'b')", "(3, 30, 'c')"),
        rows("id, amount, name", "(1, 10, 'a')", "(2, 25, 'b')", "(4, 40, 'd')"),
    )
    assert found == RowChanges(
        added=1,
        removed=1,
        changed=1,
        key=("id",),
        changed_in={"amount": 1},
        samples=(
            {
                "change": "changed",
                "key": {"id": "2"},
                "values": {"amount": {"before": "20", "after": "25"}},
                "more_columns": None,
            },
            {"change": "removed", "key": {"id": "3"}, "values": {"amount": "30", "name": "c"}, "more_columns": None},
            {"change": "added", "key": {"id": "4"}, "values": {"amount": "40", "name": "d"}, "more_columns": None},
        ),
    )


def test_a_null_is_a_value_that_equals_itself_and_nothing_else() -> None:
    found = compared(
        rows("id, amount", "(1, null)", "(2, null)", "(3, 0)", "(4, 4)"),
        rows("id, amount", "(1, null)", "(2, 0)", "(3, null)", "(4, 4)"),
    )
    assert counts(found) == (0, 0, 2)
    assert [s["values"]["amount"] for s in found.samples] == [
        {"before": None, "after": "0"},
        {"before": "0", "after": None},
    ]


def test_a_null_in_a_key_is_a_key() -> None:
    found = compared(
        rows("id, region, amount", "(1, null, 1)", "(1, 'n', 2)"),
        rows("id, region, amount", "(1, null, 9)", "(1, 's', 2)"),
        key=("id", "region"),
    )
    assert counts(found) == (1, 1, 1)
    assert found.samples[0]["key"] == {"id": "1", "region": None}


def test_a_row_whose_key_changed_is_one_removed_and_one_added() -> None:
    found = compared(rows("id, name", "(1, 'a')", "(2, 'b')"), rows("id, name", "(1, 'a')", "(7, 'b')"))
    assert counts(found) == (1, 1, 0)
    assert [(s["change"], s["key"]) for s in found.samples] == [("removed", {"id": "2"}), ("added", {"id": "7"})]


def test_a_column_that_came_or_went_changes_no_row_and_is_told() -> None:
    found = compared(rows("id, amount, old_one", "(1, 10, 'x')"), rows("id, amount, name", "(1, 10, 'y')"))
    assert counts(found) == (0, 0, 0)
    assert (found.columns_added, found.columns_dropped) == (("name",), ("old_one",))


def test_equal_values_of_other_types_are_equal_and_the_values_shown_are_the_real_ones() -> None:
    found = compared(
        "select 1::integer as id, 10::integer as amount union all select 2, 20",
        "select 1::bigint as id, 10.00::decimal(9,2) as amount union all select 2, 20.50",
    )
    assert counts(found) == (0, 0, 1)
    assert found.samples[0]["values"] == {"amount": {"before": "20", "after": "20.50"}}


def test_not_a_number_and_minus_zero_are_no_change() -> None:
    found = compared(
        "select 1 as id, 'nan'::double as amount union all select 2, -0.0::double",
        "select 1 as id, 'nan'::double as amount union all select 2, 0.0::double",
    )
    assert counts(found) == (0, 0, 0)


def test_at_most_a_hundred_rows_are_shown_of_a_table_shared_between_the_kinds() -> None:
    found = compared(
        "select i as id, i as amount from range(1000) as t(i)",
        "select i as id, i + (i % 2) as amount from range(10, 1500) as t(i)",
    )
    assert counts(found) == (500, 10, 495)
    shown = [sample["change"] for sample in found.samples]
    assert (len(shown), shown.count("changed"), shown.count("removed"), shown.count("added")) == (100, 45, 10, 45)
    changed = [int(s["key"]["id"]) for s in found.samples if s["change"] == "changed"]
    assert changed == list(range(11, 101, 2))


@pytest.mark.parametrize(
    ("available", "given"),
    [((500, 10, 495), [45, 10, 45]), ((0, 0, 7), [0, 0, 7]), ((900, 0, 0), [100, 0, 0]), ((60, 60, 60), [33, 33, 34])],
)
def test_what_one_kind_leaves_over_goes_to_the_others(available: tuple[int, ...], given: list[int]) -> None:
    assert shares(available, 100) == given


def test_without_a_key_rows_are_counted_as_wholes_and_none_is_shown() -> None:
    found = compared(
        rows("id, name", "(1, 'a')", "(1, 'a')", "(1, 'a')", "(2, null)"),
        rows("id, name", "(1, 'a')", "(2, null)", "(2, null)", "(3, 'c')"),
        key=(),
    )
    assert counts(found) == (2, 2, 0)
    assert (found.note, found.samples) == ("the contract has no key", ())


def test_a_key_that_is_not_one_in_a_version_is_not_used() -> None:
    twice = rows("id, name", "(1, 'a')", "(1, 'b')")
    once = rows("id, name", "(1, 'a')")
    assert compared(twice, once).note == "the key is not unique before"
    assert compared(once, twice).note == "the key is not unique after"
    assert counts(compared(once, twice)) == (1, 0, 0)
    assert compared(rows("name", "('a')"), once).note == "no column id before"


def test_values_of_columns_that_are_not_visible_are_in_no_sample() -> None:
    found = compared(
        rows("id, name, amount", "(1, 'secret-1', 1)", "(2, 'secret-2', 2)"),
        rows("id, name, amount", "(1, 'secret-3', 5)", "(4, 'secret-4', 2)"),
        visible={"id", "amount"},
    )
    assert counts(found) == (1, 1, 1)
    assert "secret" not in str(found)
    assert found.samples[0]["values"]["name"] == {"before": "(not shown)", "after": "(not shown)"}
    assert [sample["values"]["name"] for sample in found.samples[1:]] == ["(not shown)", "(not shown)"]


def test_a_key_that_is_not_visible_is_not_shown_either() -> None:
    found = compared(
        rows("id, amount", "(77, 1)", "(78, 1)"), rows("id, amount", "(77, 2)", "(79, 1)"), visible={"amount"}
    )
    assert [sample["key"] for sample in found.samples] == [{"id": "(not shown)"}] * 3
    assert "77" not in str(found.samples)


def test_long_values_are_cut_and_control_characters_are_written_out() -> None:
    found = compared(
        f"select 1 as id, '{'x' * 500}' as name union all select 2, 'b'",
        "select 1 as id, 'y' as name union all select 2, chr(27) || '[31mred' || chr(10)",
    )
    assert found.samples[0]["values"]["name"] == {"before": "x" * 63 + "…", "after": "y"}
    assert found.samples[1]["values"]["name"]["after"] == "\\x1b[31mred\\n"


def test_of_a_wide_row_eight_values_are_shown_and_the_others_counted() -> None:
    wide = ", ".join(f"{{0}} as c{i}" for i in range(20))
    seen = {"id", *(f"c{i}" for i in range(20))}
    found = compared(f"select 1 as id, {wide.format(1)}", f"select 1 as id, {wide.format(2)}", visible=seen)
    assert (len(found.samples[0]["values"]), found.samples[0]["more_columns"]) == (8, 12)


def test_names_that_need_quotes_are_quoted() -> None:
    found = compared(
        'select 1 as "the id", 7 as "say ""x"""',
        'select 1 as "the id", 8 as "say ""x"""',
        key=("the id",),
        visible={"the id", 'say "x"'},
    )
    assert found.samples[0]["values"] == {'say "x"': {"before": "7", "after": "8"}}


def test_bookkeeping_columns_are_no_columns() -> None:
    found = compared("select 1 as id, 1 as _dp_line", "select 1 as id, 2 as _dp_line")
    assert (counts(found), found.columns_added) == ((0, 0, 0), ())
