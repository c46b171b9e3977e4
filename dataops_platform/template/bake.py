"""Makes a project from the template."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.template.questions import checked_answer, questions, template_folder

MADE_FROM = ".template.json"
"""The file of a project that records the template's version, the answers, and a digest of each file as it was made."""


def bake(answers: Mapping[str, str], into: Path) -> Path:
    """Make a project below `into`, whole or not at all, and return its folder; a git repository where git is installed.

    Raises: UsedWrongly DP-N001 for an invalid answer, DP-N002 when the folder exists; SystemFailed DP-N003 when the
    template cannot be rendered.
    """
    given = {question.name: checked_answer(question, answers[question.name]) for question in questions()}
    target = into / given["name"]
    if target.exists():
        raise UsedWrongly("DP-N002", folder=target)
    into.mkdir(parents=True, exist_ok=True)
    # beside the target: the last step is a rename, which is atomic within one file system only
    with tempfile.TemporaryDirectory(prefix=".dataops-init-", dir=into) as scratch:
        made = render(given, Path(scratch))
        _make_repository(made, into)
        made.replace(target)
    return target


def render(answers: Mapping[str, str], into: Path) -> Path:
    """Render the template below `into` and return the new folder. Raises: SystemFailed DP-N003."""
    from cookiecutter.exceptions import CookiecutterException
    from cookiecutter.main import cookiecutter

    with tempfile.TemporaryDirectory() as config:
        # Cookiecutter keeps answers in the user's home unless its configuration names another folder.
        settings = Path(config) / "config.yaml"
        settings.write_text(f"replay_dir: {config}\ncookiecutters_dir: {config}\n")
        try:
            made = cookiecutter(
                str(template_folder()),
                no_input=True,
                extra_context=dict(answers),
                output_dir=str(into),
                config_file=str(settings),
            )
        except (CookiecutterException, OSError) as error:
            raise SystemFailed("DP-N003", reason=error, folder=into) from None
    return Path(made)


def _make_repository(folder: Path, into: Path) -> None:
    """Make the folder a git repository, unless git is missing or `into` already lies in a repository."""
    git = shutil.which("git")
    if git is None:
        return
    inside = subprocess.run([git, "rev-parse", "--is-inside-work-tree"], cwd=into, capture_output=True, check=False)
    if inside.returncode:
        subprocess.run([git, "init", "--quiet", "--initial-branch", "main"], cwd=folder, check=False)
