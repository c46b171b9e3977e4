"""The `dataops` command."""

from __future__ import annotations

from gc import freeze, set_threshold

import typer

from dataops_platform.cli import doctor, explain, gc, init, promote, reconcile, report, reproduce, run, sql, status, up
from dataops_platform.cli.contracts import contracts
from dataops_platform.cli.env import env
from dataops_platform.cli.ledger import ledger
from dataops_platform.cli.registry import registry
from dataops_platform.cli.release import release

app = typer.Typer(
    name="dataops",
    help="Carry data from files to published tables and models; nothing is published unless its contract holds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (init, run, status, sql, up, doctor, explain):
    app.command(help=command.__doc__)(getattr(command, command.__name__.rpartition(".")[2]))
for move in (promote.plan, promote.approve, promote.promote, promote.rollback, promote.resume):
    app.command()(move)
app.command()(gc.gc)
app.command()(report.report)
app.command()(reproduce.reproduce)
app.command()(reconcile.reconcile)
app.add_typer(release, name="release")
app.add_typer(env, name="env")
app.add_typer(registry, name="registry")
app.add_typer(ledger, name="ledger")
app.add_typer(contracts, name="contracts")


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 refused, 2 used wrongly, 3 lost a race, 4 the system failed."""
    # Modules make hundreds of thousands of objects that stay to the end: collecting garbage among them while they load,
    # and once more at the end, takes a third of a short command.
    set_threshold(500_000)
    try:
        app()
    finally:
        freeze()
