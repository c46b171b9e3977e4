"""The origin of this package for a new project: the folder from which it is installed here, if any."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

PACKAGE = "dataops-platform"


def add_package_source(project: Path, package: str = PACKAGE) -> None:
    """Add the folder from which the package is installed to a project's `pyproject.toml`, if it is installed from one.

    Source: https://packaging.python.org/specifications/direct-url (PEP 610)
    """
    folder = installed_from(package)
    if folder is None:
        return
    path = project / "pyproject.toml"
    path.write_text(
        path.read_text()
        + f"""
# {package} is installed from a folder of this machine. Remove these lines where it comes from an index.
[tool.uv.sources]
{package} = {{ path = {json.dumps(str(folder))}, editable = true }}
"""
    )


def installed_from(package: str = PACKAGE) -> Path | None:
    """Return the folder from which a package is installed, or None when it came from an index or a wheel."""
    try:
        text = distribution(package).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    found = json.loads(text) if text else {}
    parts = urlsplit(found.get("url", ""))
    return Path(unquote(parts.path)) if parts.scheme == "file" and "dir_info" in found else None
