"""The lake of a project: where it is, and how it is opened."""

from __future__ import annotations

from functools import partial

from dataops_platform.kit.signatures import sign
from dataops_platform.settings.environ import ledger_key
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake, open_lake


def lake_location(project: Project) -> LakeLocation:
    """Return where the project's lake is. Paths in `dataops.yaml` start at the project's folder."""
    settings = project.settings.lake
    kind, _, rest = settings.catalog.partition(":")
    catalog = f"sqlite:{(project.home / rest).resolve()}" if kind == "sqlite" else settings.catalog
    data = settings.data if "://" in settings.data else str((project.home / settings.data).resolve())
    return LakeLocation(catalog, data, project.state_dir / "extensions", project.state_dir / "anchors")


def lake_of(project: Project, *, read_only: bool = False) -> Lake:
    """Open the project's lake. Its ledger is signed where `DATAOPS_LEDGER_KEY` names a key."""
    key = None if read_only else ledger_key()
    return open_lake(lake_location(project), read_only=read_only, sign=partial(sign, key) if key else None)
