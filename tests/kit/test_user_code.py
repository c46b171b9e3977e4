"""A user's functions are found without being run, given the frame they ask for, and digested with what they import."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.user_code import arrow_from, check_function, code_digest, frame_for, load_function

NAME = "shop_of_the_tests"
FILES = {
    "__init__.py": "raise RuntimeError('importing the package runs the project')\n",
    "cleaning.py": (
        "from . import words\n"
        "from .rules.amounts import positive\n"
        "import polars as pl\n"
        "raise RuntimeError('importing the module runs it')\n"
        "def orders(raw: pl.LazyFrame) -> pl.LazyFrame:\n"
        "    return raw\n"
        "def _hidden(raw): ...\n"
        "NOT_A_FUNCTION = 1\n"
        "class Thing: ...\n"
    ),
    "words.py": f"import {NAME}.spelling\n",
    "spelling.py": "from .cleaning import orders  # a circle\n",
    "rules/__init__.py": "",
    "rules/amounts.py": "from ..constants import LIMIT\ndef positive(x): return x > LIMIT\n",
    "constants.py": "LIMIT = 0\n",
    "unrelated.py": "UNRELATED = 1\n",
    "broken.py": "def f(:\n",
    "uses_broken.py": "from . import broken\ndef f(x): ...\n",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package on the path that fails as soon as any of it is imported."""
    for name, text in FILES.items():
        path = tmp_path / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / NAME
    assert [name for name in sys.modules if name.startswith(NAME)] == []


def said(call: Callable[[], object]) -> str:
    """The message of the error a call raises."""
    with pytest.raises(UsedWrongly) as caught:
        call()
    return str(caught.value)


@pytest.mark.usefixtures("shop")
def test_a_function_is_found_without_importing_anything() -> None:
    check_function(f"{NAME}.cleaning:orders")
    check_function(f"{NAME}.rules.amounts:positive")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("cleaning:ordres", "DP-S001 cleaning.py has no function 'ordres'; did you mean 'orders'? Correct the name."),
        (
            "cleaning:NOT_A_FUNCTION",
            "DP-S001 cleaning.py has no function 'NOT_A_FUNCTION'; known: _hidden, orders. Correct the name.",
        ),
        ("cleaning:Thing", "DP-S001 cleaning.py has no function 'Thing'; known: _hidden, orders. Correct the name."),
        (
            "cleening:orders",
            f"DP-S008 There is no module '{NAME}.cleening'. Function {NAME}.cleening:orders. "
            "Correct the name, or install the project.",
        ),
        (
            "cleaning.orders:orders",
            f"DP-S008 There is no module '{NAME}.cleaning.orders'. Function {NAME}.cleaning.orders:orders. "
            "Correct the name, or install the project.",
        ),
        ("cleaning", f"DP-S007 '{NAME}.cleaning' does not name a function. Write module:function."),
        ("cleaning:", f"DP-S007 '{NAME}.cleaning:' does not name a function. Write module:function."),
        ("cleaning:a b", f"DP-S007 '{NAME}.cleaning:a b' does not name a function. Write module:function."),
        ("broken:f", "DP-S009 broken.py:1 is not valid Python: invalid syntax. Correct the line."),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused_with_the_nearest_name(reference: str, message: str) -> None:
    assert said(lambda: check_function(f"{NAME}.{reference}")) == message


@pytest.mark.parametrize("module", ["", ".", "..", ".x", "no such", "no_such_package_at_all", "sys", "shop.", "a/b"])
def test_a_module_that_has_no_source_is_refused(module: str) -> None:
    assert said(lambda: check_function(f"{module}:f")).startswith(f"DP-S008 There is no module '{module}'")


def test_a_function_is_loaded_by_its_reference() -> None:
    assert load_function("dataops_platform.kit.user_code:load_function") is load_function
    assert said(lambda: load_function("dataops_platform.kit.user_code:load_funktion")) == (
        "DP-S001 user_code.py has no function 'load_funktion'; did you mean 'load_function'? Correct the name."
    )


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("cleaning.py", True),
        ("words.py", True),
        ("spelling.py", True),
        ("rules/amounts.py", True),
        ("constants.py", True),
        ("__init__.py", True),
        ("rules/__init__.py", True),
        ("unrelated.py", False),
        ("broken.py", False),
    ],
)
def test_a_functions_digest_changes_with_what_its_module_imports_and_with_nothing_else(
    shop: Path, changed: str, counts: bool
) -> None:
    before = code_digest(f"{NAME}.cleaning:orders")
    (shop / changed).write_text((shop / changed).read_text() + "# changed\n")
    assert (code_digest(f"{NAME}.cleaning:orders") != before) is counts


def test_a_digest_depends_on_names_and_bytes_and_not_on_the_place(shop: Path, tmp_path: Path) -> None:
    before = code_digest(f"{NAME}.cleaning:orders")
    (tmp_path / "moved").mkdir()
    shop.rename(tmp_path / "moved" / NAME)
    sys.path.insert(0, str(tmp_path / "moved"))
    try:
        assert code_digest(f"{NAME}.cleaning:orders") == before
    finally:
        sys.path.remove(str(tmp_path / "moved"))
        (tmp_path / "moved" / NAME).rename(shop)


@pytest.mark.usefixtures("shop")
def test_a_digest_of_code_that_is_no_python_is_refused() -> None:
    assert (
        said(lambda: code_digest(f"{NAME}.uses_broken:f"))
        == "DP-S009 broken.py:1 is not valid Python: invalid syntax. Correct the line."
    )


TABLE = pa.table({"id": pa.array([1, 2], pa.int64()), "word": pa.array(["a", None], pa.string())})


def lazy(raw: pl.LazyFrame) -> pl.LazyFrame:
    """A function that asks for a LazyFrame."""
    return raw


def eager(raw: pl.DataFrame, _more: int = 0) -> pl.DataFrame:
    """A function that asks for a DataFrame."""
    return raw


def panda(raw: pd.DataFrame) -> pd.DataFrame:
    """A function that asks for a pandas frame."""
    return raw


def text(raw: str) -> str:
    """A function that asks for no frame."""
    return raw


def bare(raw):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, RUF100
    """A function that does not say what it asks for."""
    return raw


def either(raw: pl.LazyFrame | pl.DataFrame) -> Any:
    """A function that cannot decide."""
    return raw


def nothing() -> None:
    """A function without parameters."""


@pytest.mark.parametrize(("function", "kind"), [(lazy, pl.LazyFrame), (eager, pl.DataFrame), (panda, pd.DataFrame)])
def test_a_function_is_given_the_frame_it_asks_for_and_the_rows_come_back(
    function: Callable[..., Any], kind: type
) -> None:
    frame = frame_for(function, TABLE)
    assert type(frame) is kind
    assert arrow_from(function(frame), "shop:f").to_pylist() == [{"id": 1, "word": "a"}, {"id": 2, "word": None}]


@pytest.mark.parametrize(
    ("function", "asks"), [(text, "builtins.str"), (bare, "nothing"), (either, "nothing"), (nothing, "nothing")]
)
def test_a_function_that_asks_for_no_frame_is_refused(function: Callable[..., Any], asks: str) -> None:
    assert said(lambda: frame_for(function, TABLE)) == (
        f"DP-S002 {function.__name__} takes {asks} as its first parameter. "
        "Annotate it with polars.LazyFrame, polars.DataFrame or pandas.DataFrame."
    )


def test_an_annotation_that_is_imported_for_type_checkers_only_is_refused() -> None:
    space: dict[str, Any] = {}
    exec("from __future__ import annotations\ndef orders(raw: pl.LazyFrame): ...", space)
    assert said(lambda: frame_for(space["orders"], TABLE)) == (
        "DP-S010 An annotation of orders cannot be resolved: name 'pl' is not defined. "
        "Import it at the top of the module, not under TYPE_CHECKING."
    )


@pytest.mark.parametrize(
    "given",
    [None, [1], {"a": [1]}, TABLE, pl.Series([1]), pd.Series([1]), pl.col("a")],
    ids=["None", "list", "dict", "Table", "Series", "pandas Series", "Expr"],
)
def test_what_is_no_frame_is_refused(given: Any) -> None:
    assert said(lambda: arrow_from(given, "shop:orders")) == (
        f"DP-S003 shop:orders returns {type(given).__name__}. Return a polars or pandas frame."
    )


def test_a_pandas_frame_that_is_no_table_is_refused() -> None:
    mixed = pd.DataFrame({"a": [1, "x"]}, dtype=object)
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert said(lambda: arrow_from(mixed, "shop:orders")).startswith(
        "DP-S011 shop:orders returns a frame that is not a table"
    )
    assert said(lambda: arrow_from(twice, "shop:orders")).startswith(
        "DP-S011 shop:orders returns a frame that is not a table"
    )


def test_the_index_of_a_pandas_frame_is_no_column() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="kept"))
    assert arrow_from(frame, "shop:orders").to_pylist() == [{"a": 1}, {"a": 2}]
