"""A release: everything that determines a state of a project, identified by the digest of its contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import UsedWrongly, preview
from dataops_platform.kit.record import plain_of, record_of
from dataops_platform.manifests.cut import Cut
from dataops_platform.warehouse import documents
from dataops_platform.warehouse.lake import Lake

RELEASE = "release"
"""The kind under which the lake stores releases as documents."""
_CONTENTS = ("project", "commit", "is_dirty", "code", "lock", "dbt", "config", "contracts")
_LOCATORS = ("built_in", "built_by", "built_at", "contract_versions")


@dataclass(frozen=True)
class Release:
    """The code, settings, contracts, tables and models of one moment. Equal contents have equal ids.

    `code`, `lock`, `dbt` and `config` are digests; `contracts` maps each table to the digest of its contract. `code`
    covers the project's own files, as `commit` contains them unless the release `is_dirty`. Locators are not part of
    the id: the versions and build areas of the members of `cut`, `contract_versions`, and where, by whom and when the
    release was built (ISO format, UTC).
    """

    project: str
    commit: str
    is_dirty: bool
    code: str
    lock: str
    dbt: str
    config: str
    contracts: Mapping[str, str]
    cut: Cut
    built_in: str = ""
    built_by: str = ""
    built_at: str = ""
    contract_versions: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    """Contents that a later version of the platform added. They are part of the id."""
    more_locators: Mapping[str, Any] = field(default_factory=dict)
    """Locators that a later version of the platform added. They are not part of the id."""

    @cached_property
    def contents(self) -> dict[str, Any]:
        """The JSON-like record that the id is the digest of: no versions, places, people or times."""
        members = self.cut.members
        return {
            "project": self.project,
            "commit": self.commit,
            "is_dirty": self.is_dirty,
            "code": self.code,
            "lock": self.lock,
            "dbt": self.dbt,
            "config": self.config,
            "contracts": dict(self.contracts),
            "publication": self.cut.id,
            "tables": {m.name: m.digest for m in members if m.kind == "table"},
            "models": {m.name: m.digest for m in members if m.kind == "model"},
            **self.more,
        }

    @cached_property
    def id(self) -> str:
        """The digest of the contents."""
        return digest_of(self.contents)

    def __str__(self) -> str:
        return short(self.id)

    def to_plain(self) -> dict[str, Any]:
        """Return the release as a JSON-like record with separate contents and locators."""
        located = {name: getattr(self, name) for name in _LOCATORS}
        locators = {**located, "cut": plain_of(self.cut), **self.more_locators}
        return {"id": self.id, "contents": self.contents, "locators": locators}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Release:
        """Return the release that `to_plain` wrote. Raises: KeyError or ValueError for another record."""
        contents, locators = dict(plain["contents"]), dict(plain["locators"])
        for derived in ("publication", "tables", "models"):
            del contents[derived]
        cut = record_of(Cut, locators.pop("cut"))
        known = {name: contents.pop(name) for name in _CONTENTS} | {name: locators.pop(name) for name in _LOCATORS}
        return cls(**known, cut=cut, more=contents, more_locators=locators)


def releases_of(lake: Lake) -> list[Release]:
    """Return all releases of a lake, oldest first."""
    return [Release.from_plain(body) for body in documents.read(lake.connection, RELEASE).values()]


def find_release(lake: Lake, wanted: str, built_in: str = "") -> Release:
    """Return the release whose id begins with `wanted` (with or without `sha256:`); the newest when that is empty.

    `built_in` restricts the search to releases that one environment built.
    Raises: UsedWrongly DP-L070 when there is no release to search, DP-L003 for an unknown id, DP-L073 for an ambiguous
    one.
    """
    known = [release for release in releases_of(lake) if built_in in ("", release.built_in)]
    beginning = wanted.removeprefix("sha256:")
    found = [release for release in known if release.id.removeprefix("sha256:").startswith(beginning)]
    if not known:
        raise UsedWrongly("DP-L070")
    if wanted and not found:
        raise UsedWrongly("DP-L003", wanted=wanted, known=preview(reversed(known)))
    if wanted and len(found) > 1:
        raise UsedWrongly("DP-L073", wanted=wanted, known=preview(reversed(found)))
    return found[-1]
