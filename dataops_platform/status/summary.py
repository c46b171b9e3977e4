"""What an environment holds and shows, read from the lake alone: Dagster's servers may be down."""

from __future__ import annotations

from typing import Any

from dataops_platform.kit.digests import short
from dataops_platform.manifests.manifest import Head
from dataops_platform.settings.project import Project
from dataops_platform.stages.inputs import EXTERNAL
from dataops_platform.stages.step import STAGES
from dataops_platform.warehouse.lake import Lake


def summarize(project: Project, lake: Lake | None) -> dict[str, Any]:
    """Return tables (rows in, refused, audited, published), models with scores, the publication and the next step."""
    if lake is None:
        return {"tables": [], "models": [], "publication": None, "shows": "nothing yet", "next": "next: dataops run"}
    heads, state = lake.heads(project.environment), lake.state(project.environment)
    published = {m.name: m for m in state.cut.members}
    tables = [
        {
            "stage": head.manifests[0].stage,
            "table": head.name,
            "rows_in": sum(m.rows_in for m in head.manifests),
            "refused": sum(m.rows_refused for m in head.manifests),
            "audited": sum(m.rows_audited for m in head.manifests),
            "published": published[head.name].rows if head.name in published else None,
            "digest": head.digest,
        }
        for head in sorted(heads.values(), key=lambda head: (EXTERNAL, *STAGES).index(head.manifests[0].stage))
        if head.kind == "table"
    ]
    models = [_model(head) for head in heads.values() if head.kind == "model"]
    shows = (
        f"{project.environment} shows publication {short(state.publication)} ({len(published)} members)"
        if state.publication
        else f"{project.environment} shows nothing yet"
    )
    return {
        "tables": tables,
        "models": models,
        "publication": state.publication or None,
        "shows": shows,
        "next": f"{shows}\nnext: {_next(published)}",
    }


def _model(head: Head) -> dict[str, Any]:
    details = head.manifests[0].details
    return {
        "model": details["model"],
        "version": details["version"],
        "target": details["target"],
        "digest": head.digest,
        "scores": details["scores"],
    }


def _next(published: dict[str, Any]) -> str:
    tables = [name for name, member in published.items() if member.kind == "table"]
    if not tables:
        return "put right what is said above, then: dataops run"
    return f'dataops sql "select * from {tables[0]} limit 5"   or   dataops status'
