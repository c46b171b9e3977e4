"""Check, compare and compile contracts.

Example: dataops contracts test contracts/orders.odcs.yaml orders.csv
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors
from dataops_platform.cli.session import session_in
from dataops_platform.settings.project import load_project

contracts = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)


@contracts.command()
@reports_errors
def lint(
    files: Annotated[list[Path] | None, typer.Argument(help="Contracts; the project's when none is given.")] = None,
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """List what each contract enforces, and the keys that nothing enforces.

    A project's contracts are also compared with its dbt project; ends with 1 when the two disagree.

    Example: dataops contracts lint
    """
    from dataops_platform.contract_tools.sync import dbt_conflicts
    from dataops_platform.contracts.lint import lint_contracts
    from dataops_platform.contracts.revisions import expired_waivers
    from dataops_platform.kit.clock import utc_now

    whole = None if files else load_project(project)
    paths = sorted(whole.root.glob("contracts/*.odcs.yaml")) if whole else files or []
    found = lint_contracts(paths)
    if not as_json:
        print_table(found, ["file", "table", "version", "columns", "rules", "key"])
        for note in (note for line in found for note in line["unenforced"]):
            console().print(f"not enforced: {note}", markup=False)
    conflicts = dbt_conflicts(whole) if whole else []
    expired = expired_waivers(whole.root / "contracts", utc_now().date()) if whole else []
    if as_json:
        ended_plain = [waiver.model_dump() for waiver in expired]
        print_json({"contracts": found, "drift": [d.__dict__ for d in conflicts], "ended_waivers": ended_plain})
    else:
        for one in expired:
            console().print(f"waiver ended on {one.until}: {one.contract} {one.version}, by {one.by}", markup=False)
        _print_conflicts(conflicts)
    if conflicts:
        raise typer.Exit(1)


@contracts.command()
@reports_errors
def sync(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; end with 1 when something differs.")] = False,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Write the contracts of dbt's tables as dbt properties, with the tests that dbt has.

    Descriptions by hand are left alone; ends with 1 when one of them, or a model, contradicts the contract.

    Example: dataops contracts sync
    """
    from dataops_platform.contract_tools.sync import sync_contract_files

    files = sync_contract_files(load_project(project, env), check=check)
    conflicts = [d for file in files for d in (*(file.differences if check else ()), *file.contradictions)]
    if as_json:
        shown = [{"file": f.name, "models": f.models, "by_hand": f.by_hand, "done": _done(f, check)} for f in files]
        print_json({"files": shown, "drift": [d.__dict__ for d in conflicts]})
    else:
        for file in files:
            _print_file(file, check)
        _print_conflicts(conflicts)
    if conflicts:
        raise typer.Exit(1)


def _done(file: Any, check: bool) -> str:
    if file.is_current:
        return "unchanged"
    return "nothing" if check else "written" if file.text else "removed"


def _print_file(file: Any, check: bool) -> None:
    console().print(f"{file.name}: {len(file.models)} tables, {_done(file, check)}", markup=False)
    for model, place in file.by_hand.items():
        console().print(
            f"{model}: described in {place} and left alone; remove it there to have it generated", markup=False
        )


def _print_conflicts(conflicts: Any) -> None:
    if conflicts:
        from dataops_platform.kit.errors import Refused

        print_table([d.__dict__ for d in conflicts], ["model", "place", "what"])
        console().print(str(Refused("DP-C033")), markup=False)


@contracts.command()
@reports_errors
def test(
    contract: Annotated[Path, typer.Argument(help="The contract, or its plan.")],
    file: Annotated[Path, typer.Argument(help="The rows: .csv, .csv.gz, .zip or .parquet.")],
    others: Annotated[
        list[str] | None, typer.Option("--with", help="TABLE=FILE, for each table that the rules refer to.")
    ] = None,
    null_values: Annotated[str, typer.Option("--null", help="Texts that mean null, separated by commas.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check a file against a contract; ends with 1 when the contract does not hold.

    Example: dataops contracts test contracts/orders.odcs.yaml orders.csv --with customers=customers.csv
    """
    from dataops_platform.contract_tools.check import check_file
    from dataops_platform.contracts.compiled import SUFFIX, compile_contract, read_compiled
    from dataops_platform.contracts.odcs import load_contract
    from dataops_platform.kit.errors import UsedWrongly

    references = {}
    for other in others or []:
        name, equals, path = other.partition("=")
        if not equals:
            raise UsedWrongly("DP-C057", given=other)
        references[name] = Path(path)
    plan = read_compiled(contract) if contract.name.endswith(SUFFIX) else compile_contract(load_contract(contract))
    checked = check_file(plan, file, references, ("", *filter(None, null_values.split(","))))
    verdicts = [v.__dict__ for v in checked.audit.verdicts]
    if as_json:
        counts = {"rows_in": checked.audit.rows_in, "rows_refused": checked.audit.rows_refused}
        unmet = {"unmet": list(checked.audit.unmet), "unreadable_lines": checked.unreadable}
        print_json({"holds": checked.holds, **counts, **unmet, "verdicts": verdicts, "sample": checked.sample})
    else:
        _print_checked(checked, verdicts, f"{plan.contract.id} {plan.contract.version}")
    if not checked.holds:
        raise typer.Exit(1)


@contracts.command()
@reports_errors
def plan(
    contract: Annotated[Path, typer.Argument(help="The contract.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write the plan to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compile a contract, and show what DuckDB evaluates for each rule. `contracts test` reads the file that --out
    writes.

    Example: dataops contracts plan contracts/orders.odcs.yaml --out orders.plan.json
    """
    from dataops_platform.contracts.compiled import SUFFIX, compile_contract, describe_rules
    from dataops_platform.contracts.odcs import load_contract
    from dataops_platform.kit.errors import UsedWrongly
    from dataops_platform.kit.text_file import write_text

    made = compile_contract(load_contract(contract))
    if out is not None and not out.name.endswith(SUFFIX):
        raise UsedWrongly("DP-C085", file=out.name, name=f"{out.stem}{SUFFIX}")
    if out is not None:
        try:
            write_text(out, made.to_json())
        except OSError as error:
            raise UsedWrongly("DP-C032", file=out, reason=error.strerror) from error
    if as_json:
        print_json({"rules": describe_rules(made)})
    else:
        print_table(describe_rules(made), ["rule", "severity", "asked"])


def _print_checked(checked: Any, verdicts: list[dict[str, Any]], title: str) -> None:
    audit = checked.audit
    print_table(verdicts, ["rule", "severity", "failing_rows", "measured"])
    if checked.sample:
        print_table(checked.sample, list(checked.sample[0]), "rows refused")
    for line in audit.unmet:
        console().print(f"all rows together: {line}", markup=False)
    if checked.unreadable:
        console().print(f"{checked.unreadable} lines of the file are no rows", markup=False)
    outcome = "holds" if checked.holds else "is BROKEN"
    console().print(f"{title} {outcome}: {audit.rows_refused} of {audit.rows_in} rows refused", markup=False)


quarantine = typer.Typer(
    help="Show refused rows, and release or drop them.", no_args_is_help=True, rich_markup_mode=None
)
contracts.add_typer(quarantine, name="quarantine")
TableArgument = Annotated[str, typer.Argument(help="The table.")]
RowsOption = Annotated[str, typer.Option("--rows", help="Ids of rows (or FILE:LINE), separated by commas.")]
RuleOption = Annotated[str, typer.Option("--rule", help="All rows that break this rule and no other.")]
Why = Annotated[str, typer.Option("--why", help="The reason, which is kept beside the contract.")]


@quarantine.command()
@reports_errors
def show(
    table: TableArgument,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show the refused rows of a table, with their raw values and the rules they break.

    Example: dataops contracts quarantine show orders
    """
    from dataops_platform.stages.clean.quarantine import as_shown, refused_rows

    with session_in(project, env, read_only=True) as session:
        rows = refused_rows(session.project, session.lake, table)
    if as_json:
        print_json({"rows": [row.__dict__ for row in rows]})
        return
    shown = as_shown([row for row in rows if row.decision != "drop"])
    print_table(shown, ["row", "file", "line", "rules", "raw", "decision"])
    console().print(f"{len(shown)} rows refused, {len(rows) - len(shown)} dropped", markup=False)


@quarantine.command()
@reports_errors
def release(
    table: TableArgument,
    why: Why,
    rows: RowsOption = "",
    rule: RuleOption = "",
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Release refused rows: the next run takes them in, once. The decision is kept beside the contract.

    Example: dataops contracts quarantine release orders --rule amount:minimum --why "credit notes"
    """
    _decide(table, "release", why, rows, rule, env, project, as_json)


@quarantine.command()
@reports_errors
def drop(
    table: TableArgument,
    why: Why,
    rows: RowsOption = "",
    rule: RuleOption = "",
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Drop refused rows for good: they still count as refused, and are no longer shown.

    Example: dataops contracts quarantine drop orders --rows data/orders.csv:4 --why "a test"
    """
    _decide(table, "drop", why, rows, rule, env, project, as_json)


def _decide(table: str, decision: Any, why: str, rows: str, rule: str, env: str, project: Path, as_json: bool) -> None:
    from dataops_platform.kit.errors import UsedWrongly, did_you_mean
    from dataops_platform.stages.clean.quarantine import decide, refused_rows

    if bool(rows) == bool(rule):
        raise UsedWrongly("DP-C082")
    with session_in(project, env, read_only=True) as session:
        refused = refused_rows(session.project, session.lake, table)
    wanted = [name.strip() for name in rows.split(",") if name.strip()]
    chosen = [r for r in refused if r.row in wanted or f"{r.file}:{r.line}" in wanted or r.rules == (rule,)]
    known = {name for r in refused for name in (r.row, f"{r.file}:{r.line}")}
    for name in wanted:
        if name not in known:
            raise UsedWrongly("DP-C084", table=table, row=name, hint=did_you_mean(name, known))
    if not chosen:
        single_rules = {r.rules[0] for r in refused if len(r.rules) == 1}
        raise UsedWrongly("DP-C083", table=table, rule=rule, hint=did_you_mean(rule, single_rules))
    path = decide(session.project, chosen, table, decision, by=session.actor.name, why=why)
    if as_json:
        print_json({"decision": decision, "rows": [r.row for r in chosen], "file": path.name})
        return
    console().print(f"{decision}: {len(chosen)} rows, kept in contracts/{path.name}", markup=False)
    if decision == "release":
        console().print(f"next: dataops run --select {table}", markup=False)


@contracts.command()
@reports_errors
def diff(
    old: Annotated[str, typer.Argument(help="A contract, a folder of contracts, or a git revision.")],
    new: Annotated[str, typer.Argument(help="Likewise; the project's files when not given.")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Show what changed, the version it needs and who is affected; ends with 1 on an unannounced breaking change.

    A new major version announces a breaking change; a waiver in `contracts/waivers.yaml` lets it pass.

    Example: dataops contracts diff main
    """
    from dataops_platform.contract_tools.diff import as_markdown, compare
    from dataops_platform.kit.clock import utc_now
    from dataops_platform.kit.paths import find_upward
    from dataops_platform.settings.project import FILE_NAME

    in_project = not new or find_upward(FILE_NAME, project.resolve()) is not None
    compared = compare(load_project(project, env) if in_project else None, old, new, utc_now().date())
    if as_json:
        print_json({"contracts": [c.to_plain() for c in compared], "passes": all(c.passes for c in compared)})
    elif markdown:
        print(as_markdown(compared))
    else:
        _print_compared(compared)
    if not all(c.passes for c in compared):
        raise typer.Exit(1)


def _print_compared(compared: Any) -> None:
    if not compared:
        console().print("nothing changed", markup=False)
    for one in compared:
        console().print(f"\n{one.name}: {one.level}, {one.versions}. {one.verdict}", markup=False)
        print_table([c.__dict__ for c in one.changes], ["level", "what"])
        if one.hits:
            print_table(
                [{**h.__dict__, "owners": ", ".join(h.owners)} for h in one.hits],
                ["name", "kind", "through", "owners"],
                "affected readers",
            )
