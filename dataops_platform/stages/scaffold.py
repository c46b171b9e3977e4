"""What `dg scaffold defs dataops_platform.X name` writes: a `defs.yaml` whose comments teach."""

from __future__ import annotations

import dagster as dg


def scaffolder(example: str) -> type[dg.Scaffolder]:
    """A scaffolder that writes `example` as the attributes of a component."""

    class DefsYamlScaffolder(dg.Scaffolder):
        def scaffold(self, request: dg.ScaffoldRequest) -> None:
            """Writes `defs.yaml` in the folder asked for."""
            request.target_path.mkdir(parents=True, exist_ok=True)
            text = f"type: {request.type_name}\n\nattributes:\n{example}"
            (request.target_path / "defs.yaml").write_text(text)

    return DefsYamlScaffolder
