"""Jobs of a single op."""

from typing import Any

import dagster as dg


def job_of(op: dg.OpDefinition, name: str, description: str, config: dg.Config | None = None) -> dg.JobDefinition:
    """Return a job that runs an op in its own process. `config` is the op's config where a launcher gives none."""
    given: dict[str, Any] = {"ops": {op.name: {"config": config.model_dump()}}} if config else {}
    graph = dg.GraphDefinition(name=name, node_defs=[op])
    return graph.to_job(name=name, description=description, config=given or None, executor_def=dg.in_process_executor)
