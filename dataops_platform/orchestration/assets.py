"""The assets that a project defines, kept beside its lake: the board need not load definitions that did not change."""

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
class Asset:
    """An asset of Dagster: its key, the stage it stands in, and the names of the assets it reads."""

    key: tuple[str, ...]
    stage: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class _Kept:
    """What the file holds: the assets, the digest of what decides them, and the modules among that."""

    made_of: str
    modules: list[str]
    assets: list[Asset]


def project_assets(project: Project) -> list[Asset]:
    """The assets that a project defines in its environment.

    Its definitions are loaded when anything changed that they are made of: the project's code (what `code_files`
    gives), a module that they imported, the platform's version, an environment variable. What is kept is only a copy:
    one that is missing, damaged, edited or of another project is made anew. Raises: what `load_definitions` raises.
    """
    path = project.state_dir / "assets" / f"{project.environment}.json"
    kept = _read(path)
    if kept is not None and kept.made_of == _made_of(project, kept.modules):
        return kept.assets
    before = _made_of(project, ())
    assets = assets_of(load_definitions(project))
    if _made_of(project, ()) == before:  # else somebody edited it meanwhile
        modules = _loaded_modules()
        plain = asdict(_Kept(_made_of(project, modules), modules, assets))
        write_text(path, json.dumps({**plain, "digest": digest_of(plain)}))
    return assets


def assets_of(defs: Definitions) -> list[Asset]:
    """The assets of loaded definitions."""
    return [
        Asset(tuple(spec.key.path), spec.group_name or "", tuple(dep.asset_key.path[-1] for dep in spec.deps))
        for spec in defs.resolve_all_asset_specs()
    ]


def _made_of(project: Project, modules: Iterable[str]) -> str:
    """Digest of all that decides what a project defines; `modules` are files outside its code that it imports."""
    stamps = [_stamp(Path(path)) for path in modules]
    code = code_digest_of(project.root)
    return digest_of([VERSION, str(project.root), project.environment, code, digest_of_variables(), stamps])


def _loaded_modules() -> list[str]:
    """The files of all modules of this process."""
    return sorted({file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))})


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size]


def _read(path: Path) -> _Kept | None:
    """What was kept, if it is just as it was written."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("digest") != digest_of(plain):
            return None
        assets = [Asset(tuple(a["key"]), a["stage"], tuple(a["reads"])) for a in plain.pop("assets")]
        return _Kept(**plain, assets=assets)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
