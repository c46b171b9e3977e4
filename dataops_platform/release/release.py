"""A release: everything that makes a state of a project what it is, named by its contents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import UsedWrongly, preview
from dataops_platform.kit.record import plain_of, record_of
from dataops_platform.manifests.cut import Cut
from dataops_platform.warehouse.lake import Lake

RELEASE = "release"
"""The kind of document that the lake keeps releases as."""
_CONTENTS = ("project", "commit", "is_dirty", "code", "lock", "dbt", "config", "contracts")
_LOCATORS = ("built_in", "built_by", "built_at", "contract_versions")


@dataclass(frozen=True)
class Release:
    """Code, lock, dbt project, contracts, settings, tables and models of one moment; equal contents, equal id.

    `cut` says where the tables and models lie (versions and build areas), `built_in`, `built_by` and `built_at` who
    made it: locators, no part of the id. `code` is the digest of the project's own files, which `commit` has.
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
    """Contents that a later version added; they are part of the id."""
    more_locators: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def contents(self) -> dict[str, Any]:
        """What the id is the digest of: digests only, of no place and no time."""
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
        """Digest of the contents."""
        return digest_of(self.contents)

    def __str__(self) -> str:
        return short(self.id)

    def to_plain(self) -> dict[str, Any]:
        """The release as a JSON-like record, contents and locators apart."""
        located = {name: getattr(self, name) for name in _LOCATORS}
        locators = {**located, "cut": plain_of(self.cut), **self.more_locators}
        return {"id": self.id, "contents": self.contents, "locators": locators}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Release:
        """The release written by `to_plain`. Raises: KeyError, ValueError for other values."""
        contents, locators = dict(plain["contents"]), dict(plain["locators"])
        for derived in ("publication", "tables", "models"):
            del contents[derived]
        cut = record_of(Cut, locators.pop("cut"))
        known = {name: contents.pop(name) for name in _CONTENTS} | {name: locators.pop(name) for name in _LOCATORS}
        return cls(**known, cut=cut, more=contents, more_locators=locators)


def releases_of(lake: Lake) -> list[Release]:
    """All releases, oldest first."""
    return [Release.from_plain(body) for body in lake.kept(RELEASE).values()]


def find_release(lake: Lake, wanted: str, built_in: str = "") -> Release:
    """The release whose id begins with `wanted` (with or without `sha256:`), or the newest when that is empty.

    `built_in` looks only among those of one environment. Raises: UsedWrongly DP-L070 or DP-L003 for none, DP-L073
    for several.
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
