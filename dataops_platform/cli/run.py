"""Run the project: every stage from files to publication, skipping what is unchanged.

Example: dataops run --select flights --partition 2013-03-01
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from dataops_platform.cli.options import AsJson, Environment, ProjectFolder
from dataops_platform.cli.output import console, print_json, print_table, reports_errors, show_error
from dataops_platform.cli.session import project_with_its_code
from dataops_platform.kit.errors import UsedWrongly


@reports_errors
def run(
    select: Annotated[
        str, typer.Option(help="Assets or stages, separated by commas; all when not given. dbt's marts run together.")
    ] = "",
    partition: Annotated[str, typer.Option(help="A partition, or a span as FIRST..LAST; all when not given.")] = "",
    force: Annotated[bool, typer.Option(help="Run everything again, also what is unchanged.")] = False,
    env: Environment = "",
    project: ProjectFolder = Path(),
    as_json: AsJson = False,
) -> None:
    """Run assets as one Dagster run, and print what it made."""
    from dataops_platform.orchestration.definitions import load_definitions
    from dataops_platform.orchestration.instance import open_instance
    from dataops_platform.orchestration.launch import Progress, launch
    from dataops_platform.status.summary import summarize
    from dataops_platform.warehouse.open import attached_once, lake_if_made

    found = project_with_its_code(project, env)
    out = console()

    def watch(progress: Progress) -> None:
        if not as_json and progress.kind != "began":
            out.print(_line(progress), markup=False)

    definitions = load_definitions(found)
    with attached_once(), open_instance(found) as instance:
        result = launch(
            found,
            definitions,
            instance,
            select=_names(select),
            partitions=_span(partition),
            skip_unchanged=not force,
            watch=watch,
        )
        with lake_if_made(found) as lake:
            summary = summarize(found, lake)
    if as_json:
        print_json({"run": result.run_id, "success": result.success, "failures": _plain(result), **summary})
    else:
        _print_summary(summary, result)
    if not result.success:
        raise typer.Exit(min((f.exit_code for f in result.failures), default=4))


def _span(text: str) -> list[str]:
    """Return a partition, or the first and last partition of FIRST..LAST."""
    first, dots, last = text.partition("..")
    if "," in text or (dots and not (first and last)):
        raise UsedWrongly("DP-R018", text=text)
    return [part.strip() for part in (first, last) if part]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _plain(result: Any) -> list[dict[str, Any]]:
    return [f.__dict__ for f in result.failures]


def _line(progress: Any) -> str:
    if progress.kind == "message":
        return f"{'':<10} … {progress.text}"
    rows = "" if progress.rows is None else f"{progress.rows:,} rows".replace(",", " ")
    refused = f"{progress.refused:,} refused".replace(",", " ") if progress.refused else ""
    state = (
        "FAILED" if progress.kind == "failed" else "unchanged" if progress.unchanged else f"{progress.seconds:.1f} s"
    )
    return f"{progress.text:<10} {progress.asset:<22} {rows:>14}  {refused:>14}  {state:>10}"


def _print_summary(summary: dict[str, Any], result: Any) -> None:
    out = console()
    if not result.success:
        out.print(f"\n{summary['shows']}, as before", markup=False)
        for failure in result.failures:
            show_error(failure.code, failure.message, failure.exit_code, as_json=False)
        return
    if summary["tables"]:
        print_table(summary["tables"], ["stage", "table", "rows_in", "refused", "audited", "published"])
    for model in summary["models"]:
        title = f"model {model['model']} version {model['version']}: {model['target']}"
        print_table(model["scores"], ["name", "auc", "brier", "rows"], title)
    out.print(summary["next"], markup=False)
