"""The differences between two releases in git: commits, files, SQL and settings."""

from __future__ import annotations

from pathlib import Path

from dataops_platform.kit.digests import short
from dataops_platform.kit.git import git, has_commit
from dataops_platform.release.promotion.differences.section import Section, bounded_diff, count, printable, section
from dataops_platform.release.release import Release
from dataops_platform.settings.project import FILE_NAME

MOST_COMMITS = 50
MOST_FILES = 100
SQL = ":(glob)**/*.sql"
_FIELDS = "%m%x1f%h%x1f%an%x1f%aI%x1f%s"


def code_section(root: Path, before: Release | None, after: Release) -> Section:
    """Return the section about commits that come or go, and the project's files that differ.

    Commits go where the history forks or leads back.
    """
    missing = _missing(root, before, after)
    if before is None or missing:
        return section(missing)
    others = [word for word in ("lock", "dbt", "config") if getattr(before, word) != getattr(after, word)]
    if before.code != after.code:
        others = ["code", *others]
    digests = f"Digests that differ: {', '.join(others)}." if others else "All digests of code are the same."
    if before.commit == after.commit:
        return section(f"The commit is the same, {after.commit[:12]}. {digests}")
    between = f"{before.commit}...{after.commit}"
    gone, came = (int(n) for n in git(root, "rev-list", "--count", "--left-right", between, "--", ".").split()[:2])
    logged = git(root, "log", f"--max-count={MOST_COMMITS}", "--left-right", f"--format={_FIELDS}", between, "--", ".")
    commits = []
    for line in logged.splitlines():
        side, commit, author, at, subject = (printable(part) for part in line.split("\x1f", 4))
        commits.append(
            {
                "change": "goes" if side == "<" else "comes",
                "commit": commit,
                "author": author,
                "at": at[:19],
                "subject": subject[:100],
            }
        )
    files = _files(root, before, after, ".")
    message = f"{before.commit[:12]} -> {after.commit[:12]}: {count(came, 'commit')} of this project"
    message += f", {gone} taken back" if gone else ""
    message += f", {count(len(files), 'file')}. {digests}"
    message += _left_out(came + gone - len(commits), "commit") + _left_out(len(files) - MOST_FILES, "file")
    return section(message, commits=commits, files=files[:MOST_FILES])


def sql_section(root: Path, before: Release | None, after: Release) -> Section:
    """Return the unified diff of the project's SQL files: dbt's models, tests and macros."""
    return _diff_section(root, before, after, SQL, "SQL file")


def settings_section(root: Path, before: Release | None, after: Release) -> Section:
    """Return the unified diff of `dataops.yaml`."""
    return _diff_section(root, before, after, FILE_NAME, "settings file")


def _diff_section(root: Path, before: Release | None, after: Release, path: str, noun: str) -> Section:
    missing = _missing(root, before, after)
    if before is None or missing:
        return section(missing)
    files = _files(root, before, after, path)
    if not files:
        return section(f"No {noun} differs.")
    text = git(root, "diff-tree", "-r", "-p", "--relative", before.commit, after.commit, "--", path)
    diff, left_out = bounded_diff(text)
    message = f"{count(len(files), noun)} {'differs' if len(files) == 1 else 'differ'}."
    message += _left_out(len(files) - MOST_FILES, "file") + _left_out(left_out, "line")
    return section(message, diff, files=files[:MOST_FILES])


def _files(root: Path, before: Release, after: Release, path: str) -> list[dict[str, object]]:
    listed = git(root, "diff-tree", "-r", "--numstat", "--relative", before.commit, after.commit, "--", path)
    rows = (line.split("\t", 2) for line in listed.splitlines())
    return [
        {"file": printable(name), "lines_added": _number(added), "lines_removed": _number(removed)}
        for added, removed, name in rows
    ]


def _number(text: str) -> int | None:
    """Return a number of lines, or None for a file that git treats as binary."""
    return int(text) if text.isdigit() else None


def _left_out(number: int, noun: str) -> str:
    return f" {count(number, noun)} more not shown." if number > 0 else ""


def _missing(root: Path, before: Release | None, after: Release) -> str:
    """Return why two releases cannot be compared; empty when they can."""
    if before is None:
        return f"No release was shown before; this one has commit {after.commit[:12] or 'none'}."
    for release in (before, after):
        if not has_commit(root, release.commit):
            return f"Commit {release.commit[:12] or 'none'} of release {short(release.id)} is not in this repository."
    return ""
