"""dbt's profile, generated from `dataops.yaml`, so that nobody writes the same settings twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.settings.project import Project
from dataops_platform.warehouse.attach import OPTIONS
from dataops_platform.warehouse.open import lake_location


@dataclass(frozen=True)
class DbtPaths:
    """Where dbt reads and writes: everything it makes lies below `.dataops/dbt/<environment>`."""

    project: Project
    folder: Path

    @property
    def home(self) -> Path:
        """The folder of everything that dbt makes for this environment."""
        return self.project.state_dir / "dbt" / self.project.environment

    @property
    def manifest(self) -> Path:
        """dbt's own description of the project, made when it is parsed."""
        return self.home / "target" / "manifest.json"

    @property
    def graph(self) -> Path:
        """The cache of what the platform uses of the manifest."""
        return self.home / "graph.json"

    @property
    def arguments(self) -> list[str]:
        """Options of every dbt command."""
        return [
            *("--project-dir", str(self.folder)),
            *("--profiles-dir", str(self.home)),
            *("--target", self.project.environment),
            *("--target-path", str(self.home / "target")),
            *("--log-path", str(self.home / "logs")),
        ]


def write_profile(project: Project, paths: DbtPaths) -> None:
    """Write `profiles.yml`: the profile has the project's name, its target the environment's. It holds no secret."""
    location = lake_location(project)
    profile = {
        project.name: {
            "target": project.environment,
            "outputs": {
                project.environment: {
                    "type": "duckdb",
                    "path": ":memory:",
                    "database": "lake",
                    "schema": project.build_schema,
                    "threads": 1,
                    "config_options": {"extension_directory": str(location.extensions), **OPTIONS},
                    "extensions": ["ducklake", location.scanner],
                    "settings": {"TimeZone": "UTC"},
                    "attach": [{"path": f"ducklake:{location.catalog}", "alias": "lake", "options": location.options}],
                }
            },
        }
    }
    paths.home.mkdir(parents=True, exist_ok=True)
    (paths.home / "profiles.yml").write_text(json.dumps(profile, indent=2))
