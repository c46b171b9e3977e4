"""Where a new project gets this package from: the folder that it is installed from here, if it is from one."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKAGE = "dataops-platform"


def add_package_source(project: Path, package: str = PACKAGE) -> None:
    """Adds to a project's `pyproject.toml` the folder from which the package is installed; nothing where it is not.

    Source: https://packaging.python.org/specifications/direct-url (PEP 610)
    """
    folder = installed_from(package)
    if folder is None:
        return
    path = project / "pyproject.toml"
    path.write_text(
        path.read_text()
        + f"""
# {package} is taken from a folder of this machine. Where it comes from an index, take these lines out.
[tool.uv.sources]
{package} = {{ path = {json.dumps(str(folder))}, editable = true }}
"""
    )


def installed_from(package: str = PACKAGE) -> Path | None:
    """The folder that a package is installed from; None where it came from an index or as a wheel."""
    try:
        text = distribution(package).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    found = json.loads(text) if text else {}
    parts = urlsplit(found.get("url", ""))
    return Path(unquote(parts.path)) if parts.scheme == "file" and "dir_info" in found else None
