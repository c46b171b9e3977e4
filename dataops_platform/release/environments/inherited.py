"""What a branch environment is given beside what it shows: the tables that those were made from."""

from __future__ import annotations

from dataclasses import replace

from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake


def made_from(lake: Lake, cut: Cut, environment: str) -> Cut:
    """What a cut was made from and does not show (raw tables), as far as it still stands in the build areas.

    A table that was made anew since is left out: another content would be taken for what the cut was made from.
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
