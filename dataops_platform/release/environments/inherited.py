"""What a branch environment inherits beside what it shows: the tables that those were made from."""

from __future__ import annotations

from dataclasses import replace

from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake


def made_from(lake: Lake, cut: Cut, environment: str) -> Cut:
    """Return the tables that a cut was made from but does not show, such as raw tables, if they are still heads.

    `environment` is the one that shows the cut. A table that was rebuilt since is left out: its new content is not
    what the cut was made from.
    """
    shown = heads_of_cut(lake.connection, cut)
    wanted: dict[str, set[str]] = {}
    todo = [ref for head in shown.values() for m in head.manifests for ref in m.step.inputs]
    while todo:
        made = {m.id: m for ref in dict.fromkeys(todo) if ref.name not in shown for m in lake.manifests_of(ref)}
        new = [m for m in made.values() if m.id not in wanted.get(m.name, set())]
        for manifest in new:
            wanted.setdefault(manifest.name, set()).add(manifest.id)
        todo = [ref for manifest in new for ref in manifest.step.inputs]
    areas = {m.area or environment for m in cut.members if m.kind == "table"} | {environment}
    standing: dict[str, Head] = {}
    for area in sorted(areas):
        for name, head in lake.heads(area).items():
            if name in wanted and wanted[name] <= {m.id for m in head.manifests}:
                standing.setdefault(name, replace(head, area=head.area or area))
    return lake.cut_of(standing.values())
