"""The heads that a step reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataops_platform.contracts.engine import BatchAudit
from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.manifest import WHOLE, Head, StepIdentity
from dataops_platform.settings.project import Project
from dataops_platform.stages.asset import Asset, manifest_of
from dataops_platform.stages.step import RunContext
from dataops_platform.warehouse import foreign_write
from dataops_platform.warehouse.lake import Lake

EXTERNAL = "external"
"""The stage of a table that another program wrote: an asset that a team already has."""


def heads_with(lake: Lake, project: Project, names: Sequence[str], context: RunContext) -> dict[str, Head]:
    """Return all heads, after recording as a head each table of `names` that another program writes.

    Such a table has no manifest. Its rows are read once for their digest, and the version that was read is the head,
    whatever the other program does next.
    """
    heads = lake.heads(project.environment)
    foreign = [name for name in names if name not in heads or heads[name].manifests[0].stage == EXTERNAL]
    for name in foreign:
        _take_in(lake, project, name, heads.get(name), context)
    return lake.heads(project.environment) if foreign else heads


def _take_in(lake: Lake, project: Project, name: str, known: Head | None, context: RunContext) -> None:
    last = lake.last_manifest(project.environment, name)
    if last is not None and last.stage != EXTERNAL:
        return  # a step made it, before the environment was pointed elsewhere
    with lake.transaction():
        version, digest = lake.current_version(), foreign_write.digest_of(lake, project.environment, name)
    if digest is None or (known is not None and known.digest == str(digest)):
        return
    asset, batch = Asset(project.environment, EXTERNAL, name), BatchAudit(WHOLE, digest.rows, 0, ())
    lake.record([manifest_of(asset, context, StepIdentity("", "", "", ()), str(digest), batch)], version)


def head_of(heads: Mapping[str, Head], name: str, needed_by: str, project: Project) -> Head:
    """Return the head called `name`. Raises: Refused DP-W007 when nothing audited exists yet."""
    if name not in heads:
        raise Refused("DP-W007", step=needed_by, table=name, environment=project.environment)
    return heads[name]
