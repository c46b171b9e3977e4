"""Pinned copies: a guarded environment runs a copy of its release's commit, whatever is checked out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.git import has_commit
from dataops_platform.kit.text_file import write_text
from dataops_platform.release.pinned_code.interpreter import has_interpreter, interpreter_for
from dataops_platform.release.pinned_code.worktree import make_copy, restore_copy, top_of
from dataops_platform.release.release import Release, find_release
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.project import COPIES, FILE_NAME, PIN, STATE_FOLDER, Project, load_project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import lake_if_made


@dataclass(frozen=True)
class Pinned:
    """The folder of a project in a copy of a release's commit, and the interpreter that runs it."""

    root: Path
    python: Path

    @property
    def is_for_this_interpreter(self) -> bool:
        """Whether the interpreter of this process runs it."""
        return self.python == Path(sys.executable)


def pin(project: Project, release: Release) -> Pinned:
    """Return the pinned copy of a release and its interpreter. Both are created if they do not exist.

    Idempotent, also for several processes at once and after one that died: a copy is complete when it has its mark,
    which is written last. Changes that somebody made in a copy are reverted.
    Raises: Refused DP-R010 for a release of uncommitted code, DP-R011 when its commit is not in this repository,
    DP-R017 when the commit has no project in this folder, DP-R012 when its code is not the release's, DP-R014 when its
    settings do not fit the project's environment; SystemFailed DP-R013 when no interpreter can be created, DP-R016
    when a changed copy is no worktree, DP-L004 when git fails.
    """
    root = _code_of(project, release)
    _refuse_other_settings(project, root, release)
    return Pinned(root, interpreter_for(project, root, release.commit))


def is_pinned(project: Project, release: Release) -> bool:
    """Return whether a complete, unchanged copy of a release and an interpreter for it exist."""
    home = project.home.resolve()
    root = _root_of(project, release)
    return (
        _is_marked(root, home)
        and code_digest_of(root) == release.code
        and has_interpreter(project, root, release.commit)
    )


def pin_of_shown(project: Project, lake: Lake) -> Pinned | None:
    """Return the pinned copy of the release that the project's environment shows; None when it shows none.

    Raises: what `pin` raises.
    """
    state = lake.state(project.environment)
    return pin(project, find_release(lake, state.release)) if state.release else None


def pinned_project(project: Project, lake: Lake) -> Project:
    """Return the project rooted in the pinned copy that its guarded environment shows; itself when there is none."""
    pinned = pin_of_shown(project, lake) if project.is_guarded else None
    return load_project(pinned.root, project.environment) if pinned else project


def pinned_commit(project: Project) -> str:
    """Return the commit of a pinned copy of a project; empty for the checkout."""
    copies = project.state_dir.resolve() / COPIES
    return project.root.resolve().relative_to(copies).parts[0] if project.pinned_in else ""


def project_to_run(project: Project, start_again: Callable[[Pinned], None], lake: Lake | None = None) -> Project:
    """Return the project whose code runs in its environment: the pinned copy where it is guarded, else the checkout.

    Before the first promotion it is the checkout, whose steps refuse to run. `start_again` is called when the release
    needs another interpreter; it does not return. `lake` is the project's lake if it is already open.
    Raises: what `pin` raises.
    """
    if project.pinned_in is not None or not project.is_guarded:
        return project
    with nullcontext(lake) if lake else lake_if_made(project) as opened:
        pinned = pin_of_shown(project, opened) if opened else None
    if pinned is None:
        return project
    if not pinned.is_for_this_interpreter:
        start_again(pinned)
    return load_project(pinned.root, project.environment)


def _refuse_other_settings(project: Project, root: Path, release: Release) -> None:
    try:
        is_guarded = load_project(root, project.environment).is_guarded
        message = (
            "" if is_guarded or not project.is_guarded else f"it lets {project.environment} run any code: no `from`"
        )
    except UsedWrongly as error:
        message = error.message
    if message:
        raise Refused(
            "DP-R014",
            file=FILE_NAME,
            release=release,
            environment=project.environment,
            reason=message,
            commit=release.commit[:12],
        )


def _code_of(project: Project, release: Release) -> Path:
    if not release.commit or release.is_dirty:
        raise Refused("DP-R010", release=release)
    home, copy, root = project.home.resolve(), _copy_of(project, release), _root_of(project, release)
    if not _is_marked(root, home) or code_digest_of(root) != release.code:
        from filelock import FileLock

        copy.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(copy.with_name(f"{copy.name}.lock")):
            if not _is_marked(root, home):
                _make(home, copy, root, release)
            elif code_digest_of(root) != release.code:
                restore_copy(copy, release.commit, STATE_FOLDER)
    if code_digest_of(root) != release.code:
        raise Refused(
            "DP-R012",
            commit=release.commit[:12],
            release=release,
            folder=root.relative_to(copy).as_posix(),
        )
    return root


def _copy_of(project: Project, release: Release) -> Path:
    return project.state_dir.resolve() / COPIES / release.commit


def _root_of(project: Project, release: Release) -> Path:
    """Return the project's folder in the copy: the same path in the repository as in the checkout."""
    home = project.home.resolve()
    return _copy_of(project, release) / home.relative_to(top_of(home))


def _make(home: Path, copy: Path, root: Path, release: Release) -> None:
    if not has_commit(home, release.commit):
        raise Refused("DP-R011", commit=release.commit[:12], release=release)
    fault_point("pin.before_write")
    make_copy(home, copy, release.commit)
    if not (root / FILE_NAME).is_file():
        raise Refused(
            "DP-R017",
            commit=release.commit[:12],
            folder=root.relative_to(copy).as_posix(),
            release=release,
        )
    write_text(root / STATE_FOLDER / ".gitignore", "*\n")
    fault_point("pin.before_mark")
    write_text(_mark(root), str(home))
    fault_point("pin.after_mark")


def _is_marked(root: Path, home: Path) -> bool:
    mark = _mark(root)
    return mark.is_file() and mark.read_text(encoding="utf-8") == str(home)


def _mark(root: Path) -> Path:
    return root / STATE_FOLDER / PIN
