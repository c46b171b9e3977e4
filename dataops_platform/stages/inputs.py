"""The heads that a step reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.manifest import WHOLE, Head, Manifest, StepIdentity
from dataops_platform.settings.project import Project
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse.lake import Lake

ELSEWHERE = "elsewhere"
"""The stage of a table that another program wrote: an asset that a team already has."""


def heads_with(lake: Lake, project: Project, names: Sequence[str], context: RunContext) -> dict[str, Head]:
    """All heads, after each table of `names` that another program writes has become one as it is now.

    Such a table has no manifest of its own: its rows are read once to know their digest, and the version that they
    were read at is the head, whatever the other program does next.
    """
    heads = lake.heads(project.environment)
    foreign = [name for name in names if name not in heads or heads[name].manifests[0].stage == ELSEWHERE]
    for name in foreign:
        _take_in(lake, project, name, heads.get(name), context)
    return lake.heads(project.environment) if foreign else heads


def _take_in(lake: Lake, project: Project, name: str, known: Head | None, context: RunContext) -> None:
    last = lake.last_manifest(project.environment, name)
    if last is not None and last.stage != ELSEWHERE:
        return  # ours, made before the environment was pointed elsewhere
    with lake.transaction():
        version, digest = lake.current_version(), lake.foreign_digest(project.environment, name)
    if digest is None or (known is not None and known.digest == str(digest)):
        return
    manifest = Manifest(
        environment=project.environment,
        stage=ELSEWHERE,
        name=name,
        kind="table",
        partition=WHOLE,
        run_id=context.run_id,
        step=StepIdentity("", "", "", ()),
        digest=str(digest),
        rows_in=digest.rows,
        rows_audited=digest.rows,
        rows_refused=0,
        recorded_at=context.now(),
    )
    lake.record([manifest], version)


def head_of(heads: Mapping[str, Head], name: str, needed_by: str, project: Project) -> Head:
    """The head called `name`. Raises: Refused DP-W007 when nothing audited is there yet."""
    if name not in heads:
        raise Refused("DP-W007", step=needed_by, table=name, environment=project.environment)
    return heads[name]
