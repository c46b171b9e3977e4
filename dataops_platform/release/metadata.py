"""Dagster metadata and events of releases, states and plans."""

from __future__ import annotations

import dagster as dg

from dataops_platform.kit.digests import short
from dataops_platform.release.promotion.plan import Plan
from dataops_platform.release.promotion.plan_page import as_markdown
from dataops_platform.release.reconciliation.reconcile import Reconciled
from dataops_platform.release.release import Release
from dataops_platform.stages.metadata import Metadata
from dataops_platform.warehouse.state import State

DATA_VERSION = "dagster/data_version"


def release_metadata(release: Release) -> Metadata:
    """Return the contents of a release as metadata, with a table of its members."""
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
    """Return the state that an environment shows as metadata, with its release if it has one."""
    if not state.sequence:
        return {"shows": dg.MetadataValue.text("nothing yet")}
    held = f"; held: dataops resume {state.environment}" if state.held else ""
    shows = f"event {state.sequence}, publication {short(state.publication)}{held}"
    return {"shows": dg.MetadataValue.text(shows), **(release_metadata(release) if release else {})}


def plan_metadata(plan: Plan) -> Metadata:
    """Return a plan as metadata: the whole page, whether it passes, and the id that a promotion takes."""
    return {
        "plan": dg.MetadataValue.md(as_markdown(plan)),
        "plan_id": dg.MetadataValue.text(short(plan.id)),
        "plan_passes": dg.MetadataValue.bool(plan.passes),
    }


def move_event(state: State, release: Release | None, followed: Reconciled) -> dg.AssetMaterialization:
    """Return the event of `<environment>/release` for a promotion or rollback and its reconciliation."""
    assert state.event, "an environment that was moved has an event"
    message = f"{state.event.kind} by {state.event.who}, event {state.sequence}"
    metadata = _move_metadata(state, state.event.kind, release, followed)
    return _event(state.environment, state.release, message, metadata)


def build_event(release: Release) -> dg.AssetMaterialization:
    """Return the event of `<environment>/release` for a built release, in the environment that built it."""
    return _event(release.built_in, release.id, f"built by {release.built_by}", release_metadata(release))


def is_news(event: dg.AssetMaterialization, last: dg.AssetMaterialization | None) -> bool:
    """Return whether an event concerns another release than the last event of its asset."""
    return last is None or (last.tags or {}).get(DATA_VERSION) != (event.tags or {})[DATA_VERSION]


def _event(environment: str, release: str, message: str, metadata: Metadata) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        asset_key=dg.AssetKey([environment, "release"]),
        description=message,
        metadata=metadata,
        tags={DATA_VERSION: release or "none"},
    )


def _move_metadata(state: State, kind: str, release: Release | None, followed: Reconciled) -> Metadata:
    messages = [*followed.made, *followed.put_right, *([f"not yet: {followed.failed}"] if followed.failed else [])]
    return {
        "event": dg.MetadataValue.int(state.sequence),
        "kind": dg.MetadataValue.text(kind),
        "held": dg.MetadataValue.bool(state.held),
        "followed": dg.MetadataValue.text("; ".join(messages) or "all was equal"),
        **state_metadata(state, release),
    }
