"""What Dagster's pages show of a release, of what an environment shows, and of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from dataops_platform.kit.digests import short
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.release.promotion.plan_page import as_markdown
from dataops_platform.release.reconciliation.reconcile import Reconciled
from dataops_platform.release.release import Release
from dataops_platform.warehouse.state import State

Metadata = Mapping[str, dg.MetadataValue[Any]]
DATA_VERSION = "dagster/data_version"


def release_metadata(release: Release) -> Metadata:
    """Its manifest, as values and as a table of its members."""
    versions = release.contract_versions
    members = [
        dg.TableRecord(
            {"name": m.name, "kind": m.kind, "rows": m.rows, "contract": versions.get(m.name, ""), "digest": m.digest}
        )
        for m in release.cut.members
    ]
    return {
        "release": dg.MetadataValue.text(short(release.id)),
        "commit": dg.MetadataValue.text(release.commit + (" (with changes)" if release.is_dirty else "")),
        "built": dg.MetadataValue.text(f"in {release.built_in} by {release.built_by}, {release.built_at[:19]}"),
        "members": dg.MetadataValue.table(members),
        "manifest": dg.MetadataValue.json(release.contents),
    }


def state_metadata(state: State, release: Release | None) -> Metadata:
    """The state that an environment shows, and its release, if any."""
    if not state.sequence:
        return {"shows": dg.MetadataValue.text("nothing yet")}
    held = f"; held: dataops resume {state.environment}" if state.held else ""
    shows = f"event {state.sequence}, publication {short(state.publication)}{held}"
    return {"shows": dg.MetadataValue.text(shows), **(release_metadata(release) if release else {})}


def plan_metadata(plan: Plan) -> Metadata:
    """A plan's id, to carry it out by, and all that it says."""
    return {
        "plan": dg.MetadataValue.md(as_markdown(plan)),
        "plan_id": dg.MetadataValue.text(short(plan.id)),
        "plan_passes": dg.MetadataValue.bool(plan.passes),
    }


def move_event(state: State, release: Release | None, followed: Reconciled) -> dg.AssetMaterialization:
    """A promotion or a rollback, and what was made to follow it, for the page of `<environment>/release`."""
    assert state.event, "an environment that was moved has an event"
    said = f"{state.event.kind} by {state.event.actor}, event {state.sequence}"
    metadata = _move_metadata(state, state.event.kind, release, followed)
    return _event(state.environment, state.release, said, metadata)


def build_event(release: Release) -> dg.AssetMaterialization:
    """A release that was built, for the page of `<environment>/release` of where that was."""
    return _event(release.built_in, release.id, f"built by {release.built_by}", release_metadata(release))


def is_news(event: dg.AssetMaterialization, last: dg.AssetMaterialization | None) -> bool:
    """Whether an event is of another release than the last one on its page."""
    return last is None or (last.tags or {}).get(DATA_VERSION) != (event.tags or {})[DATA_VERSION]


def _event(environment: str, release: str, said: str, metadata: Metadata) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=dg.AssetKey([environment, "release"]),
        description=said,
        metadata=metadata,
        tags={DATA_VERSION: release or "none"},
    )


def _move_metadata(state: State, kind: str, release: Release | None, followed: Reconciled) -> Metadata:
    said = [*followed.made, *followed.put_right, *([f"not yet: {followed.failed}"] if followed.failed else [])]
    return {
        "event": dg.MetadataValue.int(state.sequence),
        "kind": dg.MetadataValue.text(kind),
        "held": dg.MetadataValue.bool(state.held),
        "followed": dg.MetadataValue.text("; ".join(said) or "all was equal"),
        **state_metadata(state, release),
    }
