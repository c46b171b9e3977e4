"""Output of commands: tables for people, one JSON document for programs, errors in one form."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ParamSpec

from dataops_platform.kit.errors import DataOpsError, stopped

if TYPE_CHECKING:
    from rich.console import Console

    from dataops_platform.release.promotion.plan_page import PagePart

P = ParamSpec("P")

QUERY_INTERRUPTED = "Query interrupted"
"""DuckDB's message when Ctrl-C interrupts a query; it raises RuntimeError in place of KeyboardInterrupt."""


def console(*, stderr: bool = False) -> Console:
    """Return a console that uses colours where the terminal has them, and never cuts a line outside a terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else 200)


def print_json(value: object) -> None:
    """Print one JSON document on standard output."""
    print(json.dumps(value, indent=2, default=str))


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str = "") -> None:
    """Print rows as a table; numbers to the right, an empty cell for None."""
    from rich import box
    from rich.table import Table

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float) or row.get(column) is None for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric and rows else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_text(row.get(column)) for column in columns))
    console().print(table)


def print_page(parts: Sequence[PagePart]) -> None:
    """Print the parts of a page in order: their text, tables and diffs."""
    out = console()
    for part in parts:
        out.print(f"{part.title}: {part.message}", markup=False)
        for table in part.tables:
            print_table(table.rows, table.columns, table.title)
        if part.diff:
            out.print(part.diff, markup=False)


def _text(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", " ")
    if isinstance(value, float):
        return f"{value:.4f}"
    return escape(str(value))


def reports_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Make a command print an error of the platform and exit with its code; a user's mistake prints no traceback."""

    @wraps(command)
    def run(*args: P.args, **options: P.kwargs) -> None:
        with errors_shown(as_json=bool(options.get("as_json"))):
            command(*args, **options)

    return run


@contextmanager
def errors_shown(as_json: bool) -> Iterator[None]:
    """Print an error of the platform, and exit with its code."""
    import typer

    try:
        yield
    except DataOpsError as error:
        show_error(error.code, str(error), error.exit_code, as_json, error.fields)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        raise _stopped(as_json) from None
    except RuntimeError as error:
        if str(error) != QUERY_INTERRUPTED:
            raise
        raise _stopped(as_json) from None


def _stopped(as_json: bool) -> Exception:
    import typer

    error = stopped()
    show_error(error.code, str(error), error.exit_code, as_json)
    return typer.Exit(error.exit_code)


def show_error(
    code: str, message: str, exit_code: int, as_json: bool, fields: Mapping[str, object] = MappingProxyType({})
) -> None:
    """Print an error on standard error, or as JSON on standard output, with the fields that its message names."""
    if as_json:
        print_json({"error": {"code": code, "message": message, "exit_code": exit_code, "fields": dict(fields)}})
    else:
        console(stderr=True).print(message, style="red", markup=False)
