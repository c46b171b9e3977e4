"""The impact of changed columns: assets, models, and readers that dbt's exposures name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataops_platform.stages.step import COLUMNS_READ, EXPOSURES

if TYPE_CHECKING:
    from dagster import Definitions

PUBLISH = "publish"


@dataclass(frozen=True)
class Hit:
    """A reader of what changes: `kind` is a stage, or that of an exposure; `through` is the table it reads."""

    name: str
    kind: str
    through: str
    owners: tuple[str, ...] = ()


def hits(defs: Definitions, table: str, columns: Collection[str]) -> tuple[Hit, ...]:
    """Return the readers of a table's `columns` (of the whole table when empty), direct ones first.

    A reader that declares its columns is affected by those alone; another one by all. What an affected asset makes
    counts as changed as a whole.
    """
    specs = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}
    wanted = {name.lower() for name in columns}
    found: dict[str, Hit] = {}
    todo = [table]
    while todo:
        source = todo.pop(0)
        for name, spec in specs.items():
            read = {dep.asset_key.path[-1] for dep in spec.deps}
            if name in found or name == table or source not in read or spec.group_name == PUBLISH:
                continue
            used = _unwrapped(spec.metadata.get(COLUMNS_READ), {}).get(source)
            if source == table and wanted and used is not None and not wanted & {word.lower() for word in used}:
                continue
            found[name] = Hit(name, spec.group_name or "asset", source, tuple(spec.owners))
            todo.append(name)
    outside = {}
    for exposure in (e for spec in specs.values() for e in _unwrapped(spec.metadata.get(EXPOSURES), [])):
        through = [name for name in (table, *found) if name in exposure["reads"]]
        if through:
            owners = (exposure["owner"],) if exposure["owner"] else ()
            outside[exposure["name"]] = Hit(exposure["name"], exposure["kind"], through[-1], owners)
    return (*found.values(), *outside.values())


def _unwrapped(value: Any, default: Any) -> Any:
    return default if value is None else getattr(value, "data", value)
