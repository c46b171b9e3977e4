"""The assets that a project defines, cached beside its lake: the board need not load unchanged definitions."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.text_file import write_text
from dataops_platform.kit.version import VERSION
from dataops_platform.orchestration.definitions import load_definitions
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.environ import digest_of_variables
from dataops_platform.settings.project import Project

if TYPE_CHECKING:
    from dagster import Definitions


@dataclass(frozen=True)
class DefinedAsset:
    """A Dagster asset: its key, its stage, and the names of the assets that it reads."""

    key: tuple[str, ...]
    stage: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """The content of the cache: the assets, the digest of what decides them, and the files of modules among that."""

    made_of: str
    modules: list[str]
    assets: list[DefinedAsset]


def project_assets(project: Project) -> list[DefinedAsset]:
    """Return the assets that a project defines in its environment.

    Its definitions are loaded when something that decides them has changed: the project's code (`code_files`), a module
    that they imported, the platform's version, an environment variable. A cache that is missing, damaged, edited or of
    another project is replaced. Raises: what `load_definitions` raises.
    """
    path = project.state_dir / "assets" / f"{project.environment}.json"
    kept = _read(path)
    if kept is not None and kept.made_of == _made_of(project, kept.modules):
        return kept.assets
    before = _made_of(project, ())
    assets = assets_of(load_definitions(project))
    if _made_of(project, ()) == before:  # otherwise the code was edited while it was loaded
        modules = _loaded_modules()
        plain = asdict(_Kept(_made_of(project, modules), modules, assets))
        write_text(path, json.dumps({**plain, "digest": digest_of(plain)}))
    return assets


def assets_of(defs: Definitions) -> list[DefinedAsset]:
    """Return the assets of loaded definitions."""
    return [
        DefinedAsset(tuple(spec.key.path), spec.group_name or "", tuple(dep.asset_key.path[-1] for dep in spec.deps))
        for spec in defs.resolve_all_asset_specs()
    ]


def _made_of(project: Project, modules: Iterable[str]) -> str:
    """Return the digest of all that decides what a project defines; `modules` are the files of imported modules."""
    stamps = [_stamp(Path(path)) for path in modules]
    code = code_digest_of(project.root)
    return digest_of([VERSION, str(project.root), project.environment, code, digest_of_variables(), stamps])


def _loaded_modules() -> list[str]:
    """Return the files of all modules of this process, sorted."""
    return sorted({file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))})


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]


def _read(path: Path) -> _Kept | None:
    """Return the cached content, or None unless it is exactly as it was written."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("digest") != digest_of(plain):
            return None
        assets = [DefinedAsset(tuple(a["key"]), a["stage"], tuple(a["reads"])) for a in plain.pop("assets")]
        return _Kept(**plain, assets=assets)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
