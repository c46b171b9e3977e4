"""A record is written and read without loss, also what it has no field for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from dataops_platform.kit.record import Record, plain_of, record_of


@dataclass(frozen=True)
class Inner(Record):
    name: str
    share: float | None = None


@dataclass(frozen=True)
class Outer(Record):
    kind: Literal["a", "b"]
    count: int
    held: bool = False
    names: tuple[str, ...] = ()
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


PLAIN: dict[str, Any] = {
    "kind": "a",
    "count": 3,
    "held": True,
    "names": ["x", "y"],
    "inner": {"name": "z", "share": 1},
    "many": [{"name": "m"}],
    "details": {"any": [1, {"thing": None}]},
}
FULL = Outer("a", 3, True, ("x", "y"), Inner("z", 1), (Inner("m"),), {"any": [1, {"thing": None}]})


def test_a_record_and_its_plain_form_say_the_same() -> None:
    assert plain_of(FULL) == PLAIN
    assert record_of(Outer, PLAIN) == FULL


def test_a_key_without_a_field_is_kept_wherever_it_is() -> None:
    later = {**PLAIN, "new": [None], "inner": {"name": "z", "unit": "s"}, "many": [{"name": "m", "x": {"y": 1}}]}
    found = record_of(Outer, later)
    assert (found.more, found.inner and found.inner.more) == ({"new": [None]}, {"unit": "s"})
    assert plain_of(found) == later


def test_what_is_absent_stays_absent() -> None:
    plain = {**PLAIN, "many": [{"name": "m"}]}
    del plain["inner"]
    found = record_of(Outer, plain)
    assert (found.inner, found.many[0].share) == (None, None)
    assert plain_of(found) == plain


@pytest.mark.parametrize("key", ["kind", "count", "held", "names", "many", "details"])
def test_a_key_whose_default_would_be_written_may_not_be_absent(key: str) -> None:
    with pytest.raises(ValueError, match=f"a key is missing: {key}"):
        record_of(Outer, {name: value for name, value in PLAIN.items() if name != key})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"count": "3"}, "'3' is no int"),
        ({"count": True}, "True is no int"),
        ({"count": 1.0}, "1.0 is no int"),
        ({"held": 1}, "1 is no bool"),
        ({"kind": 1}, "1 is no str"),
        ({"names": "xy"}, "'xy' is no list"),
        ({"names": [1]}, "1 is no str"),
        ({"inner": []}, r"\[\] is no Inner"),
        ({"inner": None}, "None is no Inner"),
        ({"inner": {}}, "a key is missing: name"),
        ({"details": []}, r"\[\] is no Mapping"),
    ],
)
def test_a_value_of_another_type_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record_of(Outer, {**PLAIN, **change})


def test_what_is_no_mapping_is_no_record() -> None:
    with pytest.raises(ValueError, match="'no record' is no Outer"):
        record_of(Outer, "no record")


def test_a_record_can_be_hashed_whatever_it_keeps() -> None:
    assert len({record_of(Inner, {"name": "z", "new": []}), Inner("z")}) == 2
