"""The `defs.yaml` that `dg scaffold defs dataops_platform.X name` writes; its comments explain the keys."""

from __future__ import annotations

import dagster as dg


def scaffolder(example: str) -> type[dg.Scaffolder]:
    """Return a scaffolder that writes `example` as the attributes of a component."""

    class DefsYamlScaffolder(dg.Scaffolder):
        def scaffold(self, request: dg.ScaffoldRequest) -> None:
            """Write `defs.yaml` in the requested folder."""
            request.target_path.mkdir(parents=True, exist_ok=True)
            text = f"type: {request.type_name}\n\nattributes:\n{example}"
            (request.target_path / "defs.yaml").write_text(text)

    return DefsYamlScaffolder
