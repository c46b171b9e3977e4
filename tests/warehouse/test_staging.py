"""One write of one table: all of it or nothing, in place of what was there, never beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from dataops_platform.kit.errors import LostRace, Refused
from dataops_platform.warehouse.attach import LakeLocation, attach
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake
from tests.fixtures import lakes

MARCH, APRIL = "2013-03-01", "2013-04-01"

VALUES = (
    "'nan'::double",
    "'-inf'::double",
    "5e-324::double",
    "'nan'::float",
    "9223372036854775807",
    "18446744073709551615::ubigint",
    "1.50::decimal(18,2)",
    "12345678901234567890123456789012345678::decimal(38,0)",
    "'a' || chr(31) || 'b~''\"\\ é😀'",
    "'nul' || chr(0) || 'l'",
    "''",
    "'\\x00\\xff'::blob",
    "'0001-01-01'::date",
    "'infinity'::date",
    "'12:34:56.789012'::time",
    "'2013-01-01 00:00:00.123456'::timestamp",
    "'infinity'::timestamp",
    "'2013-01-01 00:00:00.123456789'::timestamp_ns",
    "'2013-03-31 01:30:00+05:30'::timestamptz",
    "interval '1 month 2 days'",
    "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid",
    "'{\"a\": \"it''s\"}'::json",
    "{'k': 'it''s back\\slash', 'n': null}",
    "['it''s', 'a, b', 'NULL', null, 'z' || chr(0)]",
    "map {'k': ['2013-01-01'::timestamp]}",
    "null",
)


def test_a_committed_write_is_the_head_and_reads_back(lake: Lake) -> None:
    head = lakes.write(lake, "orders", "select * from (values (1, 'a'), (2, null)) t(id, note)")
    assert lakes.rows(lake, head) == [(1, "a"), (2, None)]
    assert head.digest.startswith("dp1:2:")
    assert head == lake.heads("dev")["orders"]


def test_a_write_that_fails_leaves_no_rows_no_head_and_no_table(lake: Lake) -> None:
    before = lakes.write(lake, "orders", "select 1 as id")
    with pytest.raises(RuntimeError, match="audit"), lake.stage("dev", "orders") as staging:
        found = staging.replace("select 2 as id", [""])
        staging.quarantine(_refused("2"), [""])
        staging.record(lakes.manifests_of("orders", found))
        raise RuntimeError("the audit says no")
    with pytest.raises(RuntimeError), lake.stage("dev", "fresh") as staging:
        staging.replace("select 1 as id", [""])
        raise RuntimeError
    assert lake.heads("dev") == {"orders": before}
    assert lakes.rows(lake, before) == [(1,)]
    assert lake.connection.execute("select count(*) from lake.dev__build.orders").fetchall() == [(1,)]
    assert "fresh" not in _tables(lake)
    assert "orders__quarantine" not in _tables(lake)


def test_a_write_without_a_record_is_nobodys_head(lake: Lake) -> None:
    with lake.stage("dev", "orders") as staging:
        staging.replace("select 1 as id", [""])
    assert lake.heads("dev") == {}


def test_nothing_is_seen_by_others_before_the_commit(lake: Lake, location: LakeLocation) -> None:
    lakes.write(lake, "orders", "select 1 as id")
    with attach(location, read_only=True) as other, lake.stage("dev", "orders") as staging:
        staging.replace("select 2 as id", [""])
        assert other.execute("from lake.dev__build.orders").fetchall() == [(1,)]


def test_a_partition_is_replaced_and_the_others_stay(lake: Lake) -> None:
    lakes.write(lake, "orders", _parts((1, MARCH), (2, MARCH), (3, APRIL)), [MARCH, APRIL])
    head = lakes.write(lake, "orders", _parts((9, MARCH)), [MARCH])
    assert lakes.rows(lake, head) == [(3, APRIL), (9, MARCH)]
    assert {p: m.rows_audited for p, m in head.partitions.items()} == {MARCH: 1, APRIL: 1}


def test_the_same_partition_written_twice_is_there_once(lake: Lake) -> None:
    first = lakes.write(lake, "orders", _parts((1, MARCH), (1, MARCH)), [MARCH])
    again = lakes.write(lake, "orders", _parts((1, MARCH), (1, MARCH)), [MARCH])
    assert lakes.rows(lake, again) == [(1, MARCH), (1, MARCH)]
    assert first.digest == again.digest
    assert first.version != again.version


def test_a_partition_may_become_empty(lake: Lake) -> None:
    lakes.write(lake, "orders", _parts((1, MARCH), (2, APRIL)), [MARCH, APRIL])
    head = lakes.write(lake, "orders", _parts((1, MARCH)) + " where false", [MARCH])
    assert lakes.rows(lake, head) == [(2, APRIL)]
    assert head.partitions[MARCH].rows_audited == 0


def test_rows_of_other_partitions_are_refused_and_not_kept_beside_them(lake: Lake) -> None:
    lakes.write(lake, "orders", _parts((2, APRIL)), [APRIL])
    for stray in (f"'{APRIL}'", "null"):
        with pytest.raises(Refused, match=r"^DP-W010 1 rows for orders") as caught:
            lakes.write(lake, "orders", f"select 1 as id, unnest(['{MARCH}', {stray}]) as _dp_partition", [MARCH])
        assert MARCH in str(caught.value)
    assert lakes.rows(lake, lake.heads("dev")["orders"]) == [(2, APRIL)]


def test_changed_columns_are_refused_while_other_partitions_hold_the_old_ones(lake: Lake) -> None:
    lakes.write(lake, "orders", _parts((1, MARCH), (2, APRIL)), [MARCH, APRIL])
    for change in ("1::bigint as id", "1 as id, 'x' as note", "1 as number"):
        with pytest.raises(Refused, match=rf"^DP-W005 Columns of orders changed \(.*\), but partitions {APRIL} have"):
            lakes.write(lake, "orders", f"select {change}, '{MARCH}' as _dp_partition", [MARCH])
    assert lakes.rows(lake, lake.heads("dev")["orders"]) == [(1, MARCH), (2, APRIL)]


def test_changed_columns_are_taken_when_all_partitions_are_written_together(lake: Lake) -> None:
    old = lakes.write(lake, "orders", _parts((1, MARCH), (2, APRIL)), [MARCH, APRIL])
    select = f"select 'x' as note, unnest(['{MARCH}', '{APRIL}']) as _dp_partition"
    new = lakes.write(lake, "orders", select, [MARCH, APRIL])
    assert lakes.rows(lake, new) == [("x", MARCH), ("x", APRIL)]
    assert lakes.rows(lake, old) == [(1, MARCH), (2, APRIL)]


def test_columns_in_another_order_are_the_same_columns(lake: Lake) -> None:
    lakes.write(lake, "orders", f"select 1 as a, 'x' as b, '{MARCH}' as _dp_partition", [MARCH])
    head = lakes.write(lake, "orders", f"select '{APRIL}' as _dp_partition, 'y' as b, 2 as a", [APRIL])
    assert lakes.rows(lake, head) == [(1, "x", MARCH), (2, "y", APRIL)]


def test_a_table_may_get_partitions_and_lose_them(lake: Lake) -> None:
    whole = lakes.write(lake, "orders", "select 1 as id")
    parted = lakes.write(lake, "orders", _parts((2, MARCH)), [MARCH])
    again = lakes.write(lake, "orders", "select 3 as id")
    assert [lakes.rows(lake, head) for head in (whole, parted, again)] == [[(1,)], [(2, MARCH)], [(3,)]]
    assert [list(head.partitions) for head in (whole, parted, again)] == [[""], [MARCH], [""]]


def test_quarantine_is_replaced_per_partition(lake: Lake) -> None:
    def refuse(partitions: list[str], *raws: tuple[str, str]) -> None:
        with lake.stage("dev", "orders") as staging:
            staging.quarantine(" union all ".join(_refused(raw, part) for raw, part in raws), partitions)

    def kept() -> list[tuple[str, str]]:
        return lake.connection.execute(
            "select raw, _dp_partition from lake.dev__build.orders__quarantine order by all"
        ).fetchall()

    refuse([MARCH, APRIL], ("m1", MARCH), ("m2", MARCH), ("a1", APRIL))
    refuse([MARCH], ("m3", MARCH))
    assert kept() == [("a1", APRIL), ("m3", MARCH)]
    refuse([""], ("whole", ""))
    assert kept() == [("whole", "")]
    refuse([MARCH], ("m4", MARCH))
    assert kept() == [("m4", MARCH)], "what the table refused before it had partitions is nobody's"


def test_what_a_rule_says_is_kept_letter_by_letter(lake: Lake) -> None:
    rule = 'it\'s \\ ["odd"] {, NULL'
    with lake.stage("dev", "orders") as staging:
        staging.connection.execute("set variable rule = $rule", {"rule": rule})
        staging.quarantine(
            "select '' as _dp_partition, 'f' as _dp_file, 1 as _dp_line, [getvariable('rule')] as rules, "
            "'' as contract, '' as run_id, getvariable('rule') as raw",
            [""],
        )
    found = lake.connection.execute("select rules, raw from lake.dev__build.orders__quarantine").fetchall()
    assert found == [([rule], rule)]


def test_every_value_comes_back_as_it_was_given(lake: Lake) -> None:
    select = "select " + ", ".join(f"{value} as v{n}" for n, value in enumerate(VALUES)) + ", 'p' as _dp_partition"
    head = lakes.write(lake, "orders", select, ["p"])
    relation = f"(from {lake.relation('dev', head)})"
    given, kept = (
        lake.connection.execute(f"select columns('v.*')::varchar from {source}").fetchall()[0]
        for source in (f"({select})", relation)
    )
    assert dict(zip(VALUES, kept, strict=True)) == dict(zip(VALUES, given, strict=True))
    assert str(digests(lake.connection, relation, ["p"])["p"]) == head.digest
    lakes.write(lake, "orders", select.replace("'p'", "'q'"), ["q"])


def test_a_type_that_would_come_back_changed_is_refused_by_name(lake: Lake) -> None:
    for value in (
        "sum(9007199254740993::bigint)",
        "'12:00:00+02'::timetz",
        "'a'::enum('a', 'b')",
        "{'k': [1::hugeint]}",
        "'1'::bit",
    ):
        with pytest.raises(Refused, match=r"^DP-W011 The lake would change the values of v \(.*\) of orders") as caught:
            lakes.write(lake, "orders", f"select {value} as v")
        assert "Cast" in str(caught.value)


def test_a_users_word_conflict_is_no_lost_race(lake: Lake) -> None:
    import duckdb

    with pytest.raises(duckdb.ConversionException, match="conflict"):
        lakes.write(lake, "orders", "select 'conflict'::int as id")


def test_of_two_writers_that_replace_one_table_at_once_one_is_told(lake: Lake, location: LakeLocation) -> None:
    """On SQLite the lock keeps the second out; here it is let in, as PostgreSQL does."""
    lakes.write(lake, "orders", "select 0 as id")
    rival = Lake(attach(location), lake.lock, lake.clock)
    with rival, pytest.raises(LostRace, match="DP-W018"), lake.stage("dev", "orders") as staging:
        staging.replace("select 1 as id", [""])
        lakes.write(rival, "orders", "select 2 as id")
    assert lakes.rows(lake, lake.heads("dev")["orders"]) == [(2,)]


def test_the_first_writers_of_an_environment_all_get_in(location: LakeLocation) -> None:
    """Each finds no build area and makes it; on PostgreSQL that was a lost race for all but one."""
    opened = [open_lake(location) for _ in range(2)]

    def write(number: int) -> str:
        with opened[number] as lake:
            return str(lakes.write(lake, f"t{number}", "select 1 as id").name)

    with ThreadPoolExecutor() as pool:
        assert list(pool.map(write, range(2))) == ["t0", "t1"]


def test_a_build_area_is_made_again_where_the_catalog_was_locked_at_its_first_commit(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By chance a reader of a SQLite catalog stands in the way of a commit; here it does so once."""
    create, asked = lake.create_schema, list[str]()

    def locked_once(name: str) -> None:
        asked.append(name)
        if len(asked) == 1:
            raise duckdb.TransactionException("Failed to flush changes into DuckLake: database is locked")
        create(name)

    monkeypatch.setattr(lake, "create_schema", locked_once)
    lake.make_build_area("dev")
    assert asked == ["dev__build", "dev__build"]
    assert lakes.write(lake, "orders", "select 1 as id").name == "orders"


def _parts(*found: tuple[int, str]) -> str:
    values = ", ".join(f"({number}, '{part}')" for number, part in found)
    return f"select id, part as _dp_partition from (values {values}) t(id, part)"


def _refused(raw: str, partition: str = "") -> str:
    return (
        f"select '{partition}' as _dp_partition, 'f.csv' as _dp_file, 1 as _dp_line, ['r'] as rules, "
        f"'c' as contract, 'run' as run_id, '{raw}' as raw"
    )


def _tables(lake: Lake) -> list[str]:
    found = lake.connection.execute("select table_name from duckdb_tables() where database_name = 'lake'").fetchall()
    return [name for (name,) in found]


def test_rows_refused_before_the_good_ones_are_written_stay_in_quarantine(lake: Lake) -> None:
    """The first write of a table lost them: it dropped the quarantine that it had just filled."""
    with lake.stage("dev", "orders") as staging:
        staging.quarantine(
            "select '' as _dp_partition, 'f' as _dp_file, 1 as _dp_line, ['r'] as rules, '' as contract, "
            "'run' as run_id, '{}' as raw",
            [""],
        )
        written = staging.replace("select 1 as id", [""])[""]
        staging.record(lakes.manifests_of("orders", {"": written}))
    assert lake.connection.execute("select count(*) from lake.dev__build.orders__quarantine").fetchone() == (1,)
