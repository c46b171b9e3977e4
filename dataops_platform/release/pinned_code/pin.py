"""Pinned code: a guarded environment runs a copy of its release's commit, whatever is checked out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.kit.faults import fault_point
from dataops_platform.kit.text_file import write_text
from dataops_platform.release.pinned_code.interpreter import has_interpreter, interpreter_for
from dataops_platform.release.pinned_code.worktree import has_commit, make_copy, restore_copy, top_of
from dataops_platform.release.release import Release, find_release
from dataops_platform.settings.code import code_digest_of
from dataops_platform.settings.project import COPIES, FILE_NAME, PIN, STATE_FOLDER, Project, load_project
from dataops_platform.stages.step import lake_if_made
from dataops_platform.warehouse.lake import Lake


@dataclass(frozen=True)
class Pinned:
    """A copy of a project as a release has it, and the interpreter that it runs with."""

    root: Path
    python: Path

    @property
    def is_for_this_interpreter(self) -> bool:
        """Whether this process may run it."""
        return self.python == Path(sys.executable)


def pin(project: Project, release: Release) -> Pinned:
    """The pinned copy of a release of the project, and its interpreter; made when they are not there.

    Can be called again, by several processes at once and after one that died: a copy counts when it has its mark,
    which is written last. What somebody changed in a copy is taken back.
    Raises: Refused DP-R010 for a release that no commit has, DP-R011 when its commit is not in this repository,
    DP-R012 when the commit has other code than the release, DP-R014 when the project's environment is none of the
    release's; SystemFailed DP-R013 when no environment can be made, DP-L004 when git fails.
    """
    root = _code_of(project, release)
    _refuse_other_settings(project, root, release)
    return Pinned(root, interpreter_for(project, root, release.commit))


def is_pinned(project: Project, release: Release) -> bool:
    """Whether there is a whole copy of a release, and an interpreter for it."""
    home = project.home.resolve()
    root = _root_of(project, release)
    return (
        _is_marked(root, home)
        and code_digest_of(root) == release.code
        and has_interpreter(project, root, release.commit)
    )


def pin_of_shown(project: Project, lake: Lake) -> Pinned | None:
    """The pinned copy of the release that the project's environment shows; None when it shows none."""
    state = lake.state(project.environment)
    return pin(project, find_release(lake, state.release)) if state.release else None


def pinned_project(project: Project, lake: Lake) -> Project:
    """The project whose root is the pinned copy of what its guarded environment shows; itself where there is none."""
    pinned = pin_of_shown(project, lake) if project.is_guarded else None
    return load_project(pinned.root, project.environment) if pinned else project


def pinned_commit(project: Project) -> str:
    """The commit that a pinned copy of a project is of; empty for the project itself."""
    copies = project.state_dir.resolve() / COPIES
    return project.root.resolve().relative_to(copies).parts[0] if project.pinned_in else ""


def project_to_run(project: Project, start_again: Callable[[Pinned], None], lake: Lake | None = None) -> Project:
    """The project whose code runs in its environment: a guarded one runs what it shows, any other what is checked out.

    Where nothing was promoted yet it is the checkout, whose steps refuse to run. `start_again` is called when the
    release runs with another interpreter, and does not come back. `lake`: the project's, where it is open already.
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
        said = "" if is_guarded or not project.is_guarded else f"it lets {project.environment} run any code: no `from`"
    except UsedWrongly as error:
        said = error.message
    if said:
        raise Refused(
            "DP-R014",
            file=FILE_NAME,
            release=release,
            environment=project.environment,
            reason=said,
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
    """The project in the copy: where it is in the repository now."""
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
