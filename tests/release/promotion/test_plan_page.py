"""Text, Markdown and JSON of a plan say the same facts."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dataops_platform.cli.output import print_page
from dataops_platform.kit.digests import short
from dataops_platform.release.promotion.plan import Answer, Plan
from dataops_platform.release.promotion.plan_page import as_markdown, cell, page_of
from tests.release.conftest import World, world_in


def facts(value: Any) -> Iterator[str]:
    """Every leaf of a JSON-like value, as people read it; keys of what holds values, too (they are columns)."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("key", "values", "changed_in") and isinstance(inner, dict):
                yield from inner
            yield from facts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from facts(inner)
    elif isinstance(value, str):
        yield from [short(value)] if value.startswith("sha256:") else value.splitlines()
    elif value is not None:
        yield cell(value)


def words(text: str) -> str:
    """Text without what only makes it a table: white space, and in Markdown the signs that escape others."""
    return "".join(re.sub(r"\\([\\`*_<>\[\]|#~])", r"\1", text).split())


class Printed(NamedTuple):
    """The three shapes of a plan."""

    text: str
    markdown: str
    plain: Any


@pytest.fixture(scope="module")
def plan(new_world: Path, tmp_path_factory: pytest.TempPathFactory, engine: Any, extensions: Path) -> Printed:
    """A plan with something in every section, in the three shapes."""
    folder = shutil.copytree(new_world, tmp_path_factory.mktemp("plan") / "shop", symlinks=True)
    with world_in(folder, engine, extensions) as world:
        made = planned(world)
    with redirect_stdout(StringIO()) as text:
        print_page(page_of(made))
    return Printed(text.getvalue(), as_markdown(made), json.loads(json.dumps(made.to_plain())))


def planned(world: World) -> Plan:
    """The plan: between two releases everything changed."""
    world.gates("contracts", "no_breaking_change", "{approval: {by: [bob]}}")
    world.file("dbt/dbt_project.yml", "name: shop\n")
    world.file("dbt/models/sales.sql", "select 1 as a_b -- ```\n")
    world.write()
    first = world.release()
    world.gates()
    world.commit("No gates")
    world.promote(world.plan(first))
    world.gates("contracts", "no_breaking_change", "{approval: {by: [bob]}}")
    world.file("dbt/models/sales.sql", "select 2 as a_b | <b>\n")
    text = (world.folder / "contracts" / "orders.odcs.yaml").read_text()
    world.file("contracts/orders.odcs.yaml", text.replace(", required: true", ""))
    world.write("select * from (values (1, null, 'a@x'), (3, 1.5, 'c@x')) as t(id, amount, email)")
    release = world.release(message="less | strict *now*")
    return world.plan(release)


def told(plain: dict[str, Any]) -> list[str]:
    """The facts of a plan's JSON. Which gates there are is told by their answers; the time without its fractions."""
    return list(
        facts({k: v for k, v in plain.items() if k not in ("gates", "passes")} | {"made_at": plain["made_at"][:19]})
    )


def test_every_fact_of_the_json_is_in_the_text_and_in_the_markdown(plan: Printed) -> None:
    text, markdown, plain = plan
    known = told(plain)
    assert len(known) > 60
    for shape in (text, markdown):
        assert [fact for fact in known if words(fact) not in words(shape)] == []


def test_every_cell_of_the_markdown_is_in_the_json(plan: Printed) -> None:
    _, markdown, plain = plan
    lines = markdown.splitlines()
    rows = [line for line, after in itertools.pairwise(lines) if line.startswith("| ") and after[:4] != "|---"]
    shown = {words(c) for row in rows for c in re.split(r"(?<!\\)\|", row)[1:-1]}
    assert len(shown) > 40
    assert shown - {words(c) for c in cells(plain)} == set()


def cells(value: Any) -> Iterator[str]:
    """What the JSON has at any depth, as a cell would show it."""
    yield cell(value)
    if isinstance(value, dict):
        yield cell({k: v for k, v in value.items() if v not in ("", []) and not (isinstance(v, list) and _records(v))})
        for inner in value.values():
            yield from cells(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from cells(inner)


def _records(values: list[Any]) -> bool:
    return all(isinstance(one, dict) for one in values)


def test_a_fact_that_one_of_them_lacks_would_be_seen(plan: Printed) -> None:
    text, markdown, plain = plan
    known = told(plain)
    fact = "less | strict *now*"
    for shape in (text, markdown):
        without = words(shape).replace(words(fact), "")
        assert [known_fact for known_fact in known if words(known_fact) not in without] == [fact]


def test_markdown_shows_signs_as_they_are_and_a_diff_stays_in_its_block(plan: Printed) -> None:
    markdown = plan.markdown
    assert "less \\| strict \\*now\\*" in markdown
    block = re.search(r"^(`{4,})diff\n(.*?)^\1$", markdown, re.DOTALL | re.MULTILINE)
    assert block
    assert block[2].splitlines()[-2:] == ["-select 1 as a_b -- ```", "+select 2 as a_b | <b>"]


def test_a_plan_is_read_back_as_it_was_written() -> None:
    plan = Plan("prod", "sha256:a", 3, [{"checks": {}}], "", (Answer("checks", "pass", "", {}),), {}, "ann", "2013")
    assert Plan.from_plain(plan.to_plain()) == plan


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (3, "3"),
        (0.123456, "0.1235"),
        ({"before": None, "after": "5"}, "null → 5"),
        ({"amount": {"before": "1", "after": "2"}, "name": None}, "amount 1 → 2, name null"),
        (["a", "b"], "a, b"),
        ("\x1b[31m", "\\x1b[31m"),
    ],
)
def test_a_value_is_one_text(value: object, text: str) -> None:
    assert cell(value) == text
