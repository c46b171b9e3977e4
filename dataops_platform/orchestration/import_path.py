"""The copy of a project's source that this process imports: the checkout's, or that of a pinned commit."""

from __future__ import annotations

import importlib
import sys

from dataops_platform.settings.project import COPIES, STATE_FOLDER, Project


def use_source_of(project: Project) -> None:
    """Put `src` of this copy of a project first on the import path.

    The project's other copies are removed from the path, and modules imported from them are forgotten, so that one
    process never has modules of two commits.
    """
    own = {f"{root.as_posix()}/src/" for root in (project.root, project.root.resolve())}
    homes = {project.home.as_posix(), project.home.resolve().as_posix()}
    checkouts = {f"{home}/src/" for home in homes} - own
    copies = {f"{home}/{STATE_FOLDER}/{COPIES}/" for home in homes}

    def is_of_another_copy(place: str) -> bool:
        """Return whether a file or a folder, with `/` at its end, belongs to another copy."""
        path = place.replace("\\", "/")
        if path.startswith(tuple(own)):
            return False
        pinned = next((path[len(folder) :] for folder in copies if path.startswith(folder)), "")
        return "/src/" in pinned or path.startswith(tuple(checkouts))

    source = str(project.root / "src")
    sys.path[:] = [source, *(p for p in sys.path if p != source and not is_of_another_copy(f"{p}/"))]
    for name, module in list(sys.modules.items()):
        if is_of_another_copy(getattr(module, "__file__", None) or ""):
            del sys.modules[name]
    importlib.invalidate_caches()
