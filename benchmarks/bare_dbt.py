"""The dbt project of `examples/flights` as dagster-dbt's users run it, but in this process: `dbtRunner`, no CLI."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.bare_lake import BUILD, attach_options, catalog, extensions


def prepare(root: Path) -> dict[str, list[str]]:
    """Writes the profile and parses the project; gives each model with the names of what it reads."""
    home = root / ".bare" / "dbt"
    home.mkdir(parents=True, exist_ok=True)
    (home / "profiles.yml").write_text(json.dumps({"flights": _profile(root)}))
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "parse", *_arguments(root)]
    subprocess.run(command, check=True, capture_output=True)
    manifest = json.loads((home / "target" / "manifest.json").read_text())
    known = {**manifest["nodes"], **manifest["sources"]}
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    return {node["name"]: [known[key]["name"] for key in node["depends_on"]["nodes"]] for node in models}


def build(root: Path) -> None:
    """Makes all models and runs all tests. Raises: RuntimeError when one fails."""
    from dbt.cli.main import dbtRunner

    done = dbtRunner().invoke(
        ["--quiet", "--no-use-colors", "--no-send-anonymous-usage-stats", "build", *_arguments(root)]
    )
    if not done.success:
        raise RuntimeError(f"dbt failed: {done.exception or done.result}")


def _arguments(root: Path) -> list[str]:
    home = root / ".bare" / "dbt"
    return [
        *("--project-dir", str(root / "dbt")),
        *("--profiles-dir", str(home)),
        *("--target-path", str(home / "target")),
        *("--log-path", str(home / "logs")),
    ]


def _profile(root: Path) -> dict[str, Any]:
    output = {
        "type": "duckdb",
        "path": ":memory:",
        "database": "lake",
        "schema": BUILD,
        "threads": 1,
        "config_options": {"extension_directory": extensions(root)},
        "extensions": ["ducklake", "sqlite_scanner"],
        "settings": {"TimeZone": "UTC"},
        "attach": [{"path": f"ducklake:{catalog(root)}", "alias": "lake", "options": attach_options(root)}],
    }
    return {"target": "dev", "outputs": {"dev": output}}
