"""What a branch environment is given beside what it shows: the tables that those were made from."""

from __future__ import annotations

from dataclasses import replace

from dataops_platform.manifests.cut import Cut, cut_of
from dataops_platform.manifests.manifest import Head
from dataops_platform.warehouse.heads import heads_of_cut, read_manifests
from dataops_platform.warehouse.lake import Lake


def made_from(lake: Lake, cut: Cut, environment: str) -> Cut:
    """What a cut was made from and does not show (raw tables), as far as it still stands in the build areas.

    A table that was made anew since is left out: another content would be taken for what the cut was made from.
    """
    shown = heads_of_cut(lake.connection, cut)
    wanted: dict[str, set[str]] = {}
    todo = [ref for head in shown.values() for m in head.manifests for ref in m.step.inputs]
    while todo:
        refs = [ref for ref in todo if ref.name not in shown and ref.manifests]
        new = {i for ref in refs for i in ref.manifests if i not in wanted.get(ref.name, set())}
        for ref in refs:
            wanted.setdefault(ref.name, set()).update(ref.manifests)
        todo = [ref for m in read_manifests(lake.connection, new).values() for ref in m.step.inputs]
    areas = {m.area or environment for m in cut.members if m.kind == "table"} | {environment}
    standing: dict[str, Head] = {}
    for area in sorted(areas):
        for name, head in lake.heads(area).items():
            if name in wanted and wanted[name] <= {m.id for m in head.manifests}:
                standing.setdefault(name, replace(head, area=head.area or area))
    return cut_of(standing.values())
