"""The `dataops` command."""

from __future__ import annotations

import typer

from dataops_platform.cli import run, sql, status
from dataops_platform.cli.contracts import contracts

app = typer.Typer(
    name="dataops",
    help="Carry data from files to published tables and models; nothing is published unless its contract holds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (run, status, sql):
    app.command(help=command.__doc__)(getattr(command, command.__name__.rpartition(".")[2]))
app.add_typer(contracts, name="contracts")


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 refused, 2 used wrongly, 3 lost a race, 4 the system failed."""
    app()
