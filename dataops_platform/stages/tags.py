"""A contract's tags and classifications as Dagster's tags, which allow fewer characters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from dataops_platform.contracts.contract import Column, Contract

CLASSIFICATION = "classification"
MOST_LETTERS = 63
_RESERVED = ("dagster", "dataops")
"""Namespaces with a meaning of their own, which a contract's tags must not claim."""


def table_tags(contract: Contract) -> dict[str, str]:
    """Return the tags of a table: the contract's own, and `classification/<word>` for each that a column has."""
    classified = dict.fromkeys(column.classification for column in contract.columns)
    return _tags(contract.tags, classified)


def column_tags(column: Column) -> dict[str, str]:
    """Return the tags of one column."""
    return _tags(column.tags, [column.classification])


def _tags(own: Iterable[str], classified: Iterable[str]) -> dict[str, str]:
    keys = [tag_key(tag) for tag in own]
    keys += [f"{CLASSIFICATION}/{word}" for word in map(_letters, classified) if word]
    return {key: "" for key in keys if key}


def tag_key(tag: str) -> str:
    """Return a tag in characters that Dagster allows, `name` or `namespace/name`; empty when none is left.

    Source: https://docs.dagster.io/guides/build/assets/metadata-and-tags/tags
    """
    before, _, after = tag.partition("/")
    namespace, name = _letters(before), _letters(after)
    if namespace and name and namespace not in _RESERVED:
        return f"{namespace}/{name}"
    return _letters(tag)


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = re.sub(r"[^A-Za-z0-9_.-]+", "_", plain).strip("_")
    return kept[:MOST_LETTERS]
