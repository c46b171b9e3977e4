"""The doctor: what is installed and reachable here, which promises hold, and what to do about the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.clock import ago
from dataops_platform.kit.errors import DataOpsError
from dataops_platform.settings.environ import ledger_key
from dataops_platform.settings.project import Project, load_project
from dataops_platform.template.upgrade import template_upgrade

if TYPE_CHECKING:
    from dagster import DagsterInstance

PACKAGES = {
    "dagster": "runs everything",
    "dbt-core": "transforms",
    "duckdb": "the engine below the lake",
    "mlflow": "models",
    "scikit-learn": "dataops-platform[sklearn]: models of scikit-learn",
    "dagster-webserver": "dataops-platform[ui]: the pages of `dataops up`",
    "duckdb-extension-postgres-scanner": "dataops-platform[postgres]: a catalog in PostgreSQL",
}
KEPT_SNAPSHOTS = ("expire_older_than", "delete_older_than")
"""Options of DuckLake with which anybody's CHECKPOINT deletes snapshots that views are pinned to."""

SILENT = timedelta(seconds=120)
"""How long a running daemon may be without a heartbeat."""


@dataclass(frozen=True)
class Finding:
    """One line of the screen. `state` is ok, note (nothing to mend, or for you to decide) or wrong (to be mended)."""

    area: str
    name: str
    state: str
    says: str
    fix: str = ""


def examine(project: Project, now: datetime) -> list[Finding]:
    """Return all findings, in the order of the screen. A part that cannot be examined is a finding, too."""
    looks: dict[str, Callable[[Project], Iterator[Finding]]] = {
        "installed": _installed,
        "project": _project,
        "lake": _lake,
        "dagster": partial(_dagster, now=now),
        "models": _models,
        "promises": _promises,
    }
    found = []
    for area, look in looks.items():
        try:
            found += list(look(project))
        except DataOpsError as error:
            found.append(Finding(area, "reachable", "wrong", f"{error.code} {error.message}", error.fix))
    return found


def examine_folder(folder: Path, now: datetime) -> list[Finding]:
    """Return the findings of a folder's project; without a readable one, what is installed and why not."""
    try:
        return examine(load_project(folder), now)
    except DataOpsError as error:
        message = f"{error.code} {error.message}"
        return [*_packages(), Finding("project", "dataops.yaml", "wrong", message, error.fix or "dataops init NAME")]


def _installed(project: Project) -> Iterator[Finding]:
    return _packages(wanted=project.settings.lake.catalog.startswith("postgres:"))


def _packages(wanted: bool = False) -> Iterator[Finding]:
    """Yield what is installed. A missing package for PostgreSQL is wrong when these are `wanted`."""
    running = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    yield Finding("installed", "python", "ok" if fits else "wrong", running, "" if fits else "use 3.11, 3.12 or 3.13")
    for package, why in PACKAGES.items():
        try:
            yield Finding("installed", package, "ok", version(package))
        except PackageNotFoundError:
            state = "wrong" if wanted and "postgres" in package else "note"
            yield Finding("installed", package, state, f"not installed ({why})")


def _project(project: Project) -> Iterator[Finding]:
    names = ", ".join(project.settings.environments)
    yield Finding("project", project.name, "ok", f"environments {names}; owner {project.settings.owner}")
    yield _git(project.root)
    newer = template_upgrade(project.root)
    if newer is None:
        yield Finding("project", "template", "ok", "not made from the template")
    elif not newer.changes:
        yield Finding("project", "template", "ok", f"{newer.made_from}; {newer.installed} changes nothing here")
    else:
        for change in newer.changes:
            how = "edited here: merge by hand" if change.edited else "as it was made: take it over"
            says = f"{change.what} in {newer.installed} (made from {newer.made_from}); {how}"
            yield Finding("project", change.file, "note", says, "dataops init NAME --into FOLDER shows the newer file")


def _git(root: Path) -> Finding:
    git = shutil.which("git")
    if git is None:
        return Finding("project", "git", "wrong", "not installed", "releases name a commit: install git")
    done = subprocess.run([git, "status", "--porcelain"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return Finding("project", "git", "wrong", "no repository", "releases name a commit: git init, then commit")
    changed = len(done.stdout.splitlines())
    if changed:
        return Finding(
            "project", "git", "note", f"{changed} files differ from the commit", "releases want them committed"
        )
    return Finding("project", "git", "ok", "clean")


def _lake(project: Project) -> Iterator[Finding]:
    from dataops_platform.warehouse.open import lake_of

    kind = project.settings.lake.catalog.partition(":")[0]
    writers = "one writer at a time" if kind == "sqlite" else "writers side by side"
    with lake_of(project, read_only=True) as lake:
        events = {name: lake.state(name) for name in project.settings.environments}
        options = dict(lake.connection.execute("select option_name, value from ducklake_options('lake')").fetchall())
    yield Finding("lake", "catalog", "ok", f"{kind}: reachable; {writers}")
    for name, state in events.items():
        shows = f"publication {state.publication[7:19]}" if state.publication else "nothing yet"
        if state.held:
            yield Finding("lake", name, "note", f"shows {shows}; held", f"dataops resume {name}")
        else:
            yield Finding("lake", name, "ok", f"shows {shows}")
    expiring = [name for name in KEPT_SNAPSHOTS if options.get(name)]
    says = (
        f"{', '.join(expiring)} is set: CHECKPOINT takes away what is published" if expiring else "by dataops gc alone"
    )
    fix = f"call lake.set_option('{expiring[0]}', NULL)" if expiring else ""
    yield Finding("lake", "expiry", "wrong" if expiring else "ok", says, fix)


def _dagster(project: Project, now: datetime) -> Iterator[Finding]:
    from dataops_platform.orchestration.instance import open_instance

    with open_instance(project) as instance:
        yield _monitoring(instance)
        yield _daemon(instance, now)


def _monitoring(instance: DagsterInstance) -> Finding:
    if instance.run_monitoring_enabled:
        return Finding("dagster", "monitoring", "ok", "runs whose process dies are found")
    fix = "run_monitoring: {enabled: true} in dagster.yaml"
    return Finding("dagster", "monitoring", "wrong", "off: a run whose process dies stays STARTED for ever", fix)


def _daemon(instance: DagsterInstance, now: datetime) -> Finding:
    beats = [status.timestamp for status in instance.get_daemon_heartbeats().values()]
    if not beats:
        return Finding("dagster", "daemon", "note", "has not run here: schedules and sensors wait", "dataops up")
    last = datetime.fromtimestamp(max(beats), UTC)
    if now - last > SILENT:
        says = f"last seen {ago(last, now)} ago: schedules and sensors wait"
        return Finding("dagster", "daemon", "note", says, "dataops up")
    return Finding("dagster", "daemon", "ok", f"seen {ago(last, now)} ago")


def _models(project: Project) -> Iterator[Finding]:
    kind, _, rest = project.settings.mlflow.tracking.partition(":")
    if kind == "sqlite":
        path = project.home / rest
        says = "a file of this project" if path.exists() else "not made yet; the first training makes it"
        yield Finding("models", "registry", "ok", says)
    else:
        yield Finding("models", "registry", "note", f"{kind}: a server of its own, which this does not ask")
    loads = os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false").lower() not in ("false", "0")
    says = "is loaded, also a stranger's" if loads else "is never loaded"
    fix = "unset MLFLOW_ALLOW_PICKLE_DESERIALIZATION" if loads else ""
    yield Finding("models", "pickle", "wrong" if loads else "ok", says, fix)


def _promises(project: Project) -> Iterator[Finding]:
    yield Finding(
        "promises", "auth", "note", "none: `dataops up` listens on 127.0.0.1 alone", "who may log in here may do all"
    )
    signed = ledger_key() is not None
    says = "events are signed" if signed else "events are chained and anchored, not signed"
    yield Finding("promises", "ledger", "ok" if signed else "note", says, "" if signed else "set DATAOPS_LEDGER_KEY")
    signers = (project.root / "allowed_signers").is_file()
    says = "can be signed" if signers else "are declared, not authenticated"
    fix = "" if signers else "put your people's keys into allowed_signers"
    yield Finding("promises", "approvals", "ok" if signers else "note", says, fix)
