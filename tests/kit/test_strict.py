"""A YAML file becomes a record, or one error that says where and which key was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, Field, ValidationError

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.validation import StrictModel, known_keys, secret_error, validate
from dataops_platform.kit.yaml_file import read_yaml


def no_dot(value: str) -> str:
    """A validator of the model below."""
    if "." in value:
        raise ValueError("must have no dot")
    return value


def no_key(value: str) -> str:
    """A validator of the model below, whose subject must not be shown."""
    if "key" in value:
        raise secret_error("a key does not belong in a file")
    return value


class Leaf(StrictModel):
    """Level three."""

    size: int
    unit: Literal["mm", "cm"] = "mm"


class Branch(StrictModel):
    """Level two."""

    leaves: list[Leaf] = []
    by_name: dict[str, Leaf] = {}
    best: Leaf | None = None


class Tree(StrictModel):
    """Level one."""

    name: Annotated[str, AfterValidator(no_dot)]
    alive: bool = True
    height: float | int = 1
    object_type: str = Field(default="tree", alias="type")
    place: Annotated[str, AfterValidator(no_key)] = ""
    branch: Branch = Branch()
    anything: Any = None


def validated(folder: Path, text: str) -> Tree:
    """The file's content as a Tree."""
    (folder / "tree.yaml").write_text(text)
    return validate(Tree, read_yaml(folder / "tree.yaml"))


def test_a_right_file_becomes_a_frozen_record(tmp_path: Path) -> None:
    tree = validated(tmp_path, "name: oak\ntype: wood\nheight: 3\nbranch: {leaves: [{size: 1, unit: cm}]}\n")
    assert tree.model_dump() == {
        "name": "oak",
        "alive": True,
        "height": 3,
        "object_type": "wood",
        "place": "",
        "branch": {"leaves": [{"size": 1, "unit": "cm"}], "by_name": {}, "best": None},
        "anything": None,
    }
    with pytest.raises(ValidationError, match="frozen"):
        tree.name = "elm"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae: oak\n", "tree.yaml:1:1 has an unknown key 'nmae'; did you mean 'name'? (1 more in this file)"),
        ("name: oak\nhieght: 3\n", "tree.yaml:2:1 has an unknown key 'hieght'; did you mean 'height'?"),
        (
            "name: oak\nbranch: {leafs: []}\n",
            "tree.yaml:2:10 has an unknown key 'branch.leafs'; did you mean 'leaves'?",
        ),
        (
            "name: oak\nbranch:\n  leaves:\n    - size: 1\n    - {size: 1, unti: cm}\n",
            "tree.yaml:5:17 has an unknown key 'branch.leaves.1.unti'; did you mean 'unit'?",
        ),
        (
            "name: oak\nbranch: {by_name: {a: {size: 1, colour: red}}}\n",
            "tree.yaml:2:33 has an unknown key 'branch.by_name.a.colour'; known: size, unit",
        ),
        (
            "name: oak\nbranch: {best: {siez: 1}}\n",
            "tree.yaml:2:17 has an unknown key 'branch.best.siez'; did you mean 'size'? (1 more in this file)",
        ),
        (
            "name: oak\nobject_type: wood\n",
            "tree.yaml:2:1 has an unknown key 'object_type'; known: alive, anything, branch, height, name, place, type",
        ),
        ("alive: true\n", "tree.yaml:1:1 lacks the key 'name'"),
        ("name: oak\nbranch:\n  leaves:\n    - unit: cm\n", "tree.yaml:4:7 lacks the key 'branch.leaves.0.size'"),
        ("name: 5\n", "tree.yaml:1:1 has an invalid 'name': Input should be a valid string (given: 5)"),
        ("name: a.b\n", "tree.yaml:1:1 has an invalid 'name': must have no dot (given: 'a.b')"),
        (
            "name: oak\nalive: 'yes'\n",
            "tree.yaml:2:1 has an invalid 'alive': Input should be a valid boolean (given: 'yes')",
        ),
        ("name: oak\nalive: 1\n", "tree.yaml:2:1 has an invalid 'alive': Input should be a valid boolean (given: 1)"),
        (
            "name: oak\nheight: '3'\n",
            "tree.yaml:2:1 has an invalid 'height': Input should be a valid number (given: '3')",
        ),
        (
            "name: oak\nheight: true\n",
            "tree.yaml:2:1 has an invalid 'height': Input should be a valid number (given: True)",
        ),
        (
            "name: oak\nbranch: {leaves: [{size: 1.5}]}\n",
            "tree.yaml:2:20 has an invalid 'branch.leaves.0.size': Input should be a valid integer (given: 1.5)",
        ),
        (
            "name: oak\nbranch: {leaves: [{size: 1, unit: km}]}\n",
            "tree.yaml:2:29 has an invalid 'branch.leaves.0.unit': Input should be 'mm' or 'cm' (given: 'km')",
        ),
        (
            "name: oak\nbranch: {leaves: [{size: 1, unit: mmm}]}\n",
            "tree.yaml:2:29 has an invalid 'branch.leaves.0.unit': Input should be 'mm' or 'cm' (given: 'mmm'); "
            "did you mean 'mm'?",
        ),
        (
            "name: oak\nbranch: {leaves: 3}\n",
            "tree.yaml:2:10 has an invalid 'branch.leaves': Input should be a valid list (given: 3)",
        ),
        ("name: [oak]\n", "tree.yaml:1:1 has an invalid 'name': Input should be a valid string"),
        (f"name: '{'.' * 99}'\n", f"tree.yaml:1:1 has an invalid 'name': must have no dot (given: '{'.' * 38}…)"),
        ("name: oak\nplace: my key is 1234\n", "tree.yaml:2:1 has an invalid 'place': a key does not belong in a file"),
        ("- name\n", "tree.yaml:1:1 must hold keys and values, not list"),
        ("oak\n", "tree.yaml:1:1 must hold keys and values, not str"),
        ("", "tree.yaml:1:1 lacks the key 'name'"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_the_reason_and_the_nearest_key(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UsedWrongly) as caught:
        validated(tmp_path, text)
    assert caught.value.code[:4] == "DP-Y"
    assert caught.value.message == said


def test_an_unknown_key_is_named_before_any_other_problem_because_it_often_explains_them(tmp_path: Path) -> None:
    with pytest.raises(UsedWrongly, match=r"unknown key 'branch\.leaves\.0\.siz'") as caught:
        validated(tmp_path, "name: 5\nbranch: {leaves: [{siz: 1}]}\n")
    assert caught.value.message.endswith("did you mean 'size'? (2 more in this file)")


def test_the_keys_of_a_place_that_leads_nowhere_are_those_of_the_record_above() -> None:
    assert known_keys(Tree, ()) == ["name", "alive", "height", "type", "place", "branch", "anything"]
    assert known_keys(Tree, ("branch", "leaves", 3)) == ["size", "unit"]
    assert known_keys(Tree, ("branch", "by_name", "x")) == ["size", "unit"]
    assert known_keys(Tree, ("branch", "nonsense", "x")) == ["leaves", "by_name", "best"]
    assert known_keys(Tree, ("type",)) == []
