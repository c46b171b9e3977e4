"""`function`: a gate that a project writes itself."""

from __future__ import annotations

from typing import Any

import pytest

from dataops_platform.kit.errors import UsedWrongly

CODE = """\
from dataops_platform.release.promotion.plan import Answer


def few(question, most=1):
    rows = sum(m.rows for m in question.release.cut.members)
    return rows <= most, f"{rows} rows, {most} allowed"


def yes(question):
    return question.project.environment == "prod"


def whole(question):
    return Answer("mine", "fail", "no and no", {"why": [1]})


def raises(question):
    known = {}
    return known["missing"]


def nothing(question):
    pass


def waives(question):
    return Answer("mine", "waived", "I let it", {})


def no_json(question):
    return Answer("mine", "pass", "well", {"at": object()})


def no(question):
    return question.project.environment == "dev"
"""


pytestmark = pytest.mark.usefixtures("own_package")


def asked(world: Any, name: str, settings: str = "") -> tuple[str, str]:
    world.file("src/shop/__init__.py", "")
    world.file("src/shop/gates.py", CODE)
    call = f"shop.gates:{name}"
    world.gates(f"{{function: {{call: '{call}', settings: {settings}}}}}" if settings else f"'{call}'")
    world.write()
    answer = world.answer(world.release(), call)
    return answer.verdict, answer.message


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("yes", "", ("pass", "yes")),
        ("no", "", ("fail", "no")),
        ("few", "", ("fail", "2 rows, 1 allowed")),
        ("few", "{most: 2}", ("pass", "2 rows, 2 allowed")),
        ("whole", "", ("fail", "no and no")),
        (
            "nothing",
            "",
            ("fail", "it gave NoneType; return an Answer, True or False, or a pair of that and what to say"),
        ),
        ("waives", "", ("fail", "it gave an Answer of verdict 'waived'; write 'pass' or 'fail'")),
        ("no_json", "", ("fail", "its evidence is not JSON-like: Object of type object is not JSON serializable")),
        ("raises", "", ("fail", "shop.gates:raises fails: KeyError: 'missing' at gates.py:19")),
    ],
)
def test_what_the_function_gives_is_the_answer(world: Any, name: str, settings: str, told: tuple[str, str]) -> None:
    assert asked(world, name, settings) == told


def test_a_setting_that_the_function_does_not_take_is_a_no(world: Any) -> None:
    verdict, said = asked(world, "few", "{mots: 2}")
    assert verdict == "fail"
    assert "TypeError: few() got an unexpected keyword argument 'mots'" in said


def test_a_function_that_is_not_there_is_told_with_the_nearest(world: Any) -> None:
    with pytest.raises(UsedWrongly, match=r"^DP-S001 gates.py has no function 'feww'; did you mean 'few'"):
        asked(world, "feww")
