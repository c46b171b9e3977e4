"""Reproduces a release or a run, and compares the result with the original."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from dataops_platform.kit.errors import Refused, preview
from dataops_platform.manifests.manifest import WHOLE, Manifest
from dataops_platform.release.lineage import Origin
from dataops_platform.release.reproduce.code import ReleaseCode, code_of
from dataops_platform.release.reproduce.models import compare_model
from dataops_platform.release.reproduce.result import Comparison, Reproduction
from dataops_platform.release.reproduce.scratch import clear_left, give_inputs, scratch
from dataops_platform.release.reproduce.tables import compare_table
from dataops_platform.release.reproduce.target import Target, find_target, short_name
from dataops_platform.settings.environ import variables_with
from dataops_platform.settings.project import Project
from dataops_platform.stages.step import STAGES
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session

TOLERANCE = 1e-6
"""The default tolerance for probabilities and other floating-point numbers."""


def reproduce(
    session: Session,
    wanted: str,
    *,
    environment: str = "",
    keep: bool = False,
    tolerance: float = TOLERANCE,
    say: Callable[[str], None] = lambda _: None,
) -> Reproduction:
    """Reproduce a release or a run, and report how closely each table and model matches the original.

    The steps start from the original versions of their inputs. They run the release's code from its own checkout, in a
    scratch environment that is removed afterwards unless `keep`. `say` receives a line of progress at a time. Removes
    the scratch environments of earlier reproductions that were killed, and changes nothing else.
    Raises: what `find_target` and `code_of` raise; Refused DP-L052, DP-L090 or DP-L053 when an input is no longer there
    as it was, DP-L054 when a step failed.
    """
    project, lake = session.project, session.lake
    clear_left(project, lake)
    target = find_target(lake, wanted, environment)
    code = code_of(project, target)
    say(f"{target.label}: {code.message}")
    parts: dict[str, Comparison] = {}
    runs: list[str] = []
    inputs: dict[str, str] = {}
    name = short_name(target)
    for number, origin in enumerate(target.passes(lake)):
        place = name if not number else f"{name}_{number}"
        with scratch(project, lake, place, keep=keep):
            again = give_inputs(session, place, origin)
            inputs |= {m.name: "read in again" if m.name in again else "as it was" for m in origin.given.values()}
            say(f"making {preview(sorted({m.name for m in origin.made.values()}), most=20)} in {place}")
            runs.append(_run(code, place, origin, again))
            parts |= {part.name: part for part in _compare(project, lake, target, origin, place, tolerance)}
    ordered = [parts[head] for head in target.results if head in parts]
    given = [n for n in target.results if n not in parts]
    taken = [Comparison(n, target.results[n].kind, "content", "taken as it was: no step makes it") for n in given]
    return Reproduction(target.label, name, code.message, inputs, (*ordered, *taken), tuple(runs))


def _run(code: ReleaseCode, environment: str, origin: Origin, again: Sequence[str]) -> str:
    """Run the steps of an origin in a process of the code's interpreter, and return the id of the Dagster run.

    `again` names the source tables to read again. Raises: Refused DP-L054.
    """
    names = {m.name for m in origin.made.values()}
    arguments = ["run", "--force", "--json", "--env", environment, "--project", str(code.root)]
    arguments += ["--select", ",".join(sorted({*names, *again}))]
    span = _span(origin.made.values())
    if span:
        arguments += ["--partition", span]
    done = subprocess.run(
        [str(code.python), "-m", "dataops_platform.cli", *arguments],
        cwd=code.root,
        env=variables_with(DATAOPS_ENV=environment, DATAOPS_FAULTS=""),
        capture_output=True,
        text=True,
        check=False,
    )
    answer = _answer(done.stdout)
    if done.returncode or not answer.get("success"):
        problems = [failure["message"] for failure in answer.get("failures", ())]
        problems = problems or [answer.get("error", {}).get("message", "")]
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise Refused(
            "DP-L054",
            reason=preview(filter(None, problems), width=400) or last[0][:400],
            environment=environment,
            source=code.message,
        )
    return str(answer["run"])


def _answer(text: str) -> dict[str, Any]:
    start = text.find("{")
    try:
        found: dict[str, Any] = json.loads(text[start:]) if start >= 0 else {}
    except ValueError:
        return {}
    return found


def _span(made: Any) -> str:
    parts = sorted({m.partition for m in made} - {WHOLE})
    return f"{parts[0]}..{parts[-1]}" if parts else ""


def _compare(
    project: Project, lake: Lake, target: Target, origin: Origin, environment: str, tolerance: float
) -> list[Comparison]:
    """Return the comparison of each result that this pass made, in the order of the stages."""
    now = lake.heads(environment)
    made = {m.name for m in origin.made.values()}
    found = []
    for name, was in target.results.items():
        if name not in made:
            continue
        if was.kind == "model":
            found.append(compare_model(project, lake, was, now.get(name), now, tolerance))
        else:
            found.append(compare_table(lake, was, now.get(name), tolerance))
    return sorted(found, key=lambda part: STAGES.index(_stage(target, part.name)))


def _stage(target: Target, name: str) -> str:
    first: Manifest = target.results[name].manifests[0]
    return first.stage
