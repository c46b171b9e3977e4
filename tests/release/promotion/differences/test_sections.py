"""What a promotion would change, section by section."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dataops_platform.warehouse import documents

CHANGED = "select * from (values (1, 10.0, 'a@x'), (2, 25.0, 'b@x'), (3, 1.0, 'c@x')) as t(id, amount, email)"


def test_a_first_promotion_has_nothing_before_it_and_says_so(world: Any) -> None:
    world.write()
    found = world.plan(world.release()).differences
    assert found["before"] == {"message": "prod shows nothing yet: this is the first promotion."}
    assert found["code"]["message"].startswith("No release was shown before; this one has commit ")
    assert found["contracts"] == {"message": "No contract was in force before."}
    assert found["rows"]["message"] == "Nothing was shown before; 1 table come."
    assert [(t["table"], t["added"], t["note"]) for t in found["rows"]["tables"]] == [
        ("orders", 2, "new: the whole table")
    ]
    assert found["models"] == {"message": "No model, before or after."}


def test_the_same_release_again_differs_in_nothing(shown: Any) -> None:
    release = shown.first
    found = shown.plan(release).differences
    same = f"The commit is the same, {release.commit[:12]}. All digests of code are the same."
    assert found["code"]["message"] == same
    assert [found[name]["message"] for name in ("sql", "settings", "contracts", "rows")] == [
        "No SQL file differs.",
        "No settings file differs.",
        "No contract changed.",
        "0 tables differ, 1 are the same.",
    ]


def test_commits_files_sql_and_settings_are_those_between_the_two_releases(world: Any) -> None:
    world.file("dbt/dbt_project.yml", "name: shop\n")
    world.file("dbt/models/sales.sql", "select 1 as a\n")
    before = world.shown()
    world.file("dbt/models/sales.sql", "select 2 as a\n")
    world.file("README.md", "orders\n")
    world.commit("count twice")
    world.gates("contracts")
    after = world.release(message="ask of contracts")
    found = world.plan(after).differences
    assert found["code"]["message"] == (
        f"{before.commit[:12]} -> {after.commit[:12]}: 2 commits of this project, 3 files. "
        "Digests that differ: code, dbt, config."
    )
    assert [(c["change"], c["author"], c["subject"]) for c in found["code"]["commits"]] == [
        ("comes", "ann", "ask of contracts"),
        ("comes", "ann", "count twice"),
    ]
    assert [(f["file"], f["lines_added"], f["lines_removed"]) for f in found["code"]["files"]] == [
        ("README.md", 1, 0),
        ("dataops.yaml", 1, 1),
        ("dbt/models/sales.sql", 1, 1),
    ]
    assert found["sql"]["message"] == "1 SQL file differs."
    assert found["sql"]["diff"].splitlines()[-2:] == ["-select 1 as a", "+select 2 as a"]
    assert "+  prod: {from: dev, gates: [contracts]}" in found["settings"]["diff"].splitlines()


@pytest.mark.journey
def test_a_way_back_is_told_as_commits_that_go(shown: Any) -> None:
    first = shown.first
    shown.file("src/new.py", "")
    shown.write(CHANGED)
    second = shown.release(message="the second")
    shown.promote(shown.plan(second))
    shown.now += timedelta(days=3)
    found = shown.plan(first).differences
    assert "0 commits of this project, 1 taken back, 1 file." in found["code"]["message"]
    assert [(c["change"], c["subject"]) for c in found["code"]["commits"]] == [("goes", "the second")]
    assert "The release was shown here before, first 2013-03-01T12:00:00 (event 1)." in found["age"]["message"]


@pytest.mark.journey
def test_a_long_diff_is_cut_and_says_so(world: Any) -> None:
    world.file("dbt/dbt_project.yml", "name: shop\n")
    world.shown()
    world.file("dbt/models/sales.sql", "select 1\n" * 900 + "x" * 500 + "\n")
    found = world.plan(world.release()).differences["sql"]
    assert len(found["diff"].splitlines()) == 400
    assert found["message"] == "1 SQL file differs. 507 lines more not shown."


@pytest.mark.journey
def test_a_commit_that_is_not_here_is_said_so(shown: Any) -> None:
    commit = shown.first.commit
    shown.git("worktree", "remove", "--force", f".dataops/code/{commit}")  # which git would keep it for
    shown.git("checkout", "-q", "--orphan", "other")
    shown.commit("all anew")
    shown.git("branch", "-qD", "main")
    shown.git("reflog", "expire", "--expire=now", "--all")
    shown.git("gc", "-q", "--prune=now")
    found = shown.plan(shown.release()).differences
    assert "is not in this repository" in found["code"]["message"]
    assert "is not in this repository: fetch it" in found["contracts"]["message"]


def test_a_contract_that_breaks_names_what_and_who_is_hit(shown: Any) -> None:
    text = (shown.folder / "contracts" / "orders.odcs.yaml").read_text()
    shown.file("contracts/orders.odcs.yaml", text.replace(", required: true", ""))
    shown.write(CHANGED)
    found = shown.plan(shown.release()).differences["contracts"]
    assert found["message"] == (
        "1 contract changed. orders breaking (1.0.0 -> 1.0.0): Not announced: it needs version 2.0.0 or a waiver."
    )
    assert found["changes"] == [
        {"contract": "orders", "level": "breaking", "change": "amount may be null now", "column": "amount"}
    ]
    assert [hit["hit"] for hit in found["hit"]] == ["unknown"], "this project has no definitions"


def test_rows_are_told_by_the_key_of_the_contract_and_classified_values_never(shown: Any) -> None:
    shown.write(CHANGED)
    found = shown.plan(shown.release()).differences["rows"]
    assert found["message"] == "1 table differs, 0 are the same."
    (table,) = found["tables"]
    assert (table["rows_before"], table["rows_after"]) == (2, 3)
    assert (table["added"], table["removed"], table["changed"]) == (1, 0, 1)
    assert (table["key"], table["changed_in"]) == (["id"], {"amount": 1, "email": 1})
    hidden = {"before": "(not shown)", "after": "(not shown)"}
    assert found["samples"] == [
        {
            "table": "orders",
            "change": "changed",
            "key": {"id": "2"},
            "values": {"amount": {"before": "20.0", "after": "25.0"}, "email": hidden},
            "more_columns": None,
        },
        {
            "table": "orders",
            "change": "added",
            "key": {"id": "3"},
            "values": {"amount": "1.0", "email": "(not shown)"},
            "more_columns": None,
        },
    ]
    assert "@x" not in str(documents.read(shown.lake.connection, "plan"))


@pytest.mark.parametrize("loosened", ["before", "after"])
def test_a_column_is_shown_only_if_no_contract_of_either_release_hides_it(world: Any, loosened: str) -> None:
    text = (world.folder / "contracts" / "orders.odcs.yaml").read_text()
    open_text = text.replace(", classification: restricted", "")
    first, second = (open_text, text) if loosened == "before" else (text, open_text)
    world.file("contracts/orders.odcs.yaml", first)
    world.shown()
    world.file("contracts/orders.odcs.yaml", second)
    world.write(CHANGED)
    assert "@x" not in str(world.plan(world.release()).to_plain())


def test_a_column_that_no_contract_lists_is_not_shown(world: Any) -> None:
    world.shown("select 1 as id, 2.0 as amount, 'hush' as email, 'hush' as extra")
    world.write("select 1 as id, 2.0 as amount, 'hush' as email, 'hush!' as extra")
    found = world.plan(world.release()).differences["rows"]
    assert found["tables"][0]["changed_in"] == {"extra": 1}
    assert "hush" not in str(found)


def test_only_partitions_that_differ_are_read(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def months(february: int) -> str:
        return (
            "select 1 as id, 1.0 as amount, 'x' as email, 'jan' as _dp_partition union all "
            f"select 2, {february}.0, 'x', 'feb'"
        )

    world.shown(months(1), partitions=["jan", "feb"])
    world.write(months(2), partitions=["jan", "feb"])
    release = world.release()
    asked: list[str] = []
    from dataops_platform.release.promotion.differences import rows

    real = rows.version_of
    monkeypatch.setattr(
        rows, "version_of", lambda c, relation, parts: asked.append(sorted(parts)) or real(c, relation, parts)
    )
    (table,) = world.plan(release).differences["rows"]["tables"]
    assert asked == [["feb"], ["feb"]]
    assert (table["changed"], table["added"], table["rows_before"], table["rows_after"]) == (1, 0, 2, 2)


def test_tables_that_come_and_go_are_told_whole(shown: Any) -> None:
    text = (shown.folder / "contracts" / "orders.odcs.yaml").read_text()
    shown.file("contracts/sales.odcs.yaml", text.replace("orders", "sales"))
    shown.write("select 1 as id, 1.0 as amount, 'x' as email", table="sales")
    found = shown.plan(shown.release("sales")).differences["rows"]["tables"]
    assert [(t["table"], t["added"], t["removed"], t["note"]) for t in found] == [
        ("sales", 1, 0, "new: the whole table"),
        ("orders", 0, 2, "gone: the whole table"),
    ]


@pytest.mark.journey
def test_the_age_of_the_data_is_told_beside_that_of_what_is_shown(world: Any) -> None:
    world.write(recorded_at="2013-02-01T00:00:00+00:00")
    old = world.release()
    world.write(CHANGED, recorded_at="2013-03-01T00:00:00+00:00")
    world.promote(world.plan(world.release()))
    assert world.plan(old).differences["age"]["message"] == (
        "The data was last audited 2013-02-01T00:00:00, 28 D ago; what is shown, 2013-03-01T00:00:00: "
        "this goes back 28 D."
    )
