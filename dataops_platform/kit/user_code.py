"""A user's functions: found by name without running them, called with the frame they ask for, and digested."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import traceback
import typing
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dataops_platform.kit.digests import digest_of, digest_of_file
from dataops_platform.kit.errors import DataOpsError, Refused, UsedWrongly, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")


def check_function(reference: str) -> None:
    """Refuse a reference that names no function. Reads the source and imports nothing of it.

    Raises: UsedWrongly DP-S001, DP-S007, DP-S008 or DP-S009.
    """
    path = _source(reference)
    name = reference.partition(":")[2]
    tree = _parsed(path)
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if name not in names:
        raise UsedWrongly("DP-S001", file=path.name, function=name, hint=did_you_mean(name, names))


def load_function(reference: str) -> Callable[..., Any]:
    """Return the function that `module:function` names. Raises: what `check_function` raises."""
    check_function(reference)
    module, _, name = reference.partition(":")
    return typing.cast("Callable[..., Any]", getattr(importlib.import_module(module), name))


def code_digest(reference: str) -> str:
    """Return the digest of a function's module, its packages, and what they import from the same top package."""
    root = reference.partition(":")[0].partition(".")[0]
    found: dict[str, str] = {}
    todo = [reference.partition(":")[0]]
    while todo:
        module = todo.pop()
        path = _module_path(module)
        if module in found or path is None:
            continue
        found[module] = digest_of_file(path)
        package = module.rpartition(".")[0]
        todo += [package, *(name for name in _imports(path, module) if name.partition(".")[0] == root)]
    return digest_of(found)


def frame_for(function: Callable[..., Any], table: pa.Table) -> Any:
    """Return the table as the frame that the annotation of the function's first parameter asks for.

    Raises: UsedWrongly DP-S002 for another annotation than polars.LazyFrame, polars.DataFrame or pandas.DataFrame,
    DP-S010 for one that cannot be resolved.
    """
    kind = _annotation(function)
    if kind == "polars.LazyFrame":
        import polars as pl

        return typing.cast("pl.DataFrame", pl.from_arrow(table)).lazy()
    if kind == "polars.DataFrame":
        import polars as pl

        return pl.from_arrow(table)
    if kind == "pandas.DataFrame":
        return table.to_pandas()
    raise UsedWrongly("DP-S002", function=function.__name__, type=kind or "nothing")


def arrow_from(frame: Any, name: str) -> pa.Table:
    """Return a frame that a function returned, as an Arrow table.

    Raises: UsedWrongly DP-S003 for another type than a frame, DP-S011 for a column of mixed types.
    """
    import pyarrow as pa

    kind = _kind(type(frame))
    if kind in ("polars.LazyFrame", "polars.DataFrame"):
        return typing.cast("pa.Table", frame.lazy().collect().to_arrow())
    if kind == "pandas.DataFrame":
        try:
            return pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowException, ValueError) as error:
            raise UsedWrongly("DP-S011", function=name, reason=error) from error
    raise UsedWrongly("DP-S003", function=name, type=type(frame).__name__)


def call_function(reference: str, work: Callable[[], T]) -> T:
    """Return what `work` returns, which calls the function that `reference` names.

    Raises: Refused DP-S006 with the file and line of the user's code when it fails. Errors of the platform pass.
    """
    try:
        return work()
    except DataOpsError:
        raise
    except Exception as error:
        module = reference.partition(":")[0].partition(".")[0]
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f"/{module}/" in f.filename]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        message = " ".join(str(error).split())[:300]
        raise Refused("DP-S006", where=where, function=reference, type=type(error).__name__, reason=message) from error


def _annotation(function: Callable[..., Any]) -> str:
    first = next(iter(inspect.signature(function).parameters), "")
    try:
        hint = typing.get_type_hints(function).get(first)
    except NameError as error:
        raise UsedWrongly("DP-S010", function=function.__name__, reason=error) from error
    return _kind(hint) if isinstance(hint, type) else ""


def _kind(frame: type) -> str:
    return f"{frame.__module__.partition('.')[0]}.{frame.__qualname__}"


def _source(reference: str) -> Path:
    module, separator, name = reference.partition(":")
    if not (separator and name.isidentifier()):
        raise UsedWrongly("DP-S007", reference=reference)
    path = _module_path(module)
    if path is None:
        raise UsedWrongly("DP-S008", module=module, reference=reference)
    return path


def _module_path(module: str) -> Path | None:
    """Return where a module's source is, or None. Imports nothing: finds the top package and looks in its folder."""
    top, *below = module.split(".")
    try:
        spec = importlib.util.find_spec(top) if all(part.isidentifier() for part in (top, *below)) else None
    except (ImportError, ValueError):
        return None
    places = [Path(place, *below) for place in (spec and spec.submodule_search_locations) or ()]
    files = [file for place in places for file in (place / "__init__.py", place.with_suffix(".py"))]
    if not below and spec and spec.origin:
        files = [Path(spec.origin)]
    return next((file for file in files if file.suffix == ".py" and file.is_file()), None)


@lru_cache(maxsize=256)  # by time and size: a long-lived code server must see an edit
def _parsed_at(path: Path, _stamp: tuple[int, int]) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=path.name)


def _parsed(path: Path) -> ast.Module:
    stat = path.stat()
    try:
        return _parsed_at(path, (stat.st_mtime_ns, stat.st_size))
    except SyntaxError as error:
        raise UsedWrongly("DP-S009", place=f"{path.name}:{error.lineno}", reason=error.msg) from error


def _imports(path: Path, module: str) -> list[str]:
    names: list[str] = []
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            source = ".".join(part for part in (base, node.module or "") if part)
            names += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    return names
