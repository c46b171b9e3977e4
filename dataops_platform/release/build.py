"""Builds a release from what an environment shows and the code that made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dataops_platform.kit.digests import digest_of, digest_of_files, short
from dataops_platform.kit.errors import Refused, preview
from dataops_platform.kit.git import commit_of, uncommitted
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Build, by
from dataops_platform.manifests.manifest import Manifest
from dataops_platform.release.release import RELEASE, Release, find_release
from dataops_platform.settings.code import code_digest_of, code_files, lock_digest
from dataops_platform.stages.contract_files import contract_of
from dataops_platform.stages.inputs import EXTERNAL
from dataops_platform.warehouse import documents
from dataops_platform.warehouse.heads import heads_of_cut
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.session import Session

if TYPE_CHECKING:
    from dagster import Definitions


def build_release(session: Session, defs: Definitions) -> Release:
    """Build and return the release of what the session's environment shows.

    Idempotent: equal contents return the release that already exists.
    Raises: Refused DP-L002 when the environment shows nothing, DP-L005 when files are uncommitted outside dev, DP-L006
    when a shown table or model was made by code, settings or a contract other than the present ones.
    """
    lake, environment = session.lake, session.environment
    state = lake.state(environment)
    if not state.cut.members:
        raise Refused("DP-L002", environment=environment)
    cut = as_last_made(lake, environment, state.cut)
    refuse_other_makers(lake, cut, defs, environment)
    return freeze(session, cut)


def as_last_made(lake: Lake, environment: str, shown: Cut) -> Cut:
    """Return the shown cut with the manifests of its heads, where the heads have the same contents.

    Code that makes the same contents again publishes nothing, so the shown manifests may name older code.
    """
    heads = lake.heads(environment)
    again = lake.cut_of(heads[member.name] for member in shown.members if member.name in heads)
    return again if again.id == shown.id else shown


def freeze(session: Session, cut: Cut) -> Release:
    """Store a release of a cut made with the present code, and return it. Raises: Refused DP-L005.

    The ledger of the session's environment records a release that is new.
    """
    release = release_of(session, cut)
    plain = release.to_plain()
    build = Build(**by(session.actor), built=release.id, document=digest_of(plain))
    documents.keep(session.lake, RELEASE, release.id, plain, event=(session.environment, build))
    return find_release(session.lake, release.id)


def release_of(session: Session, cut: Cut) -> Release:
    """Return the release of a cut made with the present code, without storing it. Raises: Refused DP-L005."""
    project = session.project
    root = project.root
    changed = uncommitted(root)
    if changed and project.environment != "dev":
        raise Refused("DP-L005", count=len(changed), files=preview(changed), environment=project.environment)
    contracts = {m.name: contract_of(project, m.name) for m in cut.members if m.kind == "table"}
    dbt = [p for p in code_files(root) if (root / p.relative_to(root).parts[0] / "dbt_project.yml").is_file()]
    return Release(
        project=project.name,
        commit=commit_of(root),
        is_dirty=bool(changed),
        code=code_digest_of(root),
        lock=lock_digest(root),
        dbt=digest_of_files(root, dbt),
        config=digest_of(project.settings.model_dump(mode="json")),
        contracts={name: contract.digest for name, contract in contracts.items() if contract},
        cut=cut,
        built_in=project.environment,
        built_by=session.actor.name,
        built_at=session.now().isoformat(),
        contract_versions={name: contract.version for name, contract in contracts.items() if contract},
    )


def refuse_other_makers(lake: Lake, cut: Cut, defs: Definitions, environment: str) -> None:
    """Refuse a cut made by code, settings or contracts other than the present ones. Raises: Refused DP-L006."""
    known = {spec.key.path[-1]: spec.code_version for spec in defs.resolve_all_asset_specs()}
    heads = heads_of_cut(lake.connection, cut)
    other = [name for name, head in heads.items() if any(_is_other(manifest, known) for manifest in head.manifests)]
    if other:
        raise Refused("DP-L006", names=preview(other), environment=environment)


def _is_other(manifest: Manifest, known: Mapping[str, str | None]) -> bool:
    step = manifest.step
    # a model's contract is the one of its training table, which the code version in Dagster does not include
    made_by = digest_of([step.code, step.config, step.contract if manifest.kind == "table" else ""])
    return manifest.stage != EXTERNAL and known.get(manifest.name) != made_by


def shown(release: Release) -> str:
    """Return a release as one line of text."""
    dirty = ", with uncommitted changes" if release.is_dirty else ""
    members = release.cut.members
    return (
        f"release {short(release.id)}: commit {release.commit[:12] or 'none'}{dirty}, "
        f"{sum(m.kind == 'table' for m in members)} tables, {sum(m.kind == 'model' for m in members)} models, "
        f"built in {release.built_in}"
    )
