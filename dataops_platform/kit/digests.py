"""Canonical bytes of plain records, and SHA-256 digests of these and of files, written `sha256:<hex>`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def canonical_json(value: object) -> str:
    r"""Return the one JSON text of a value; its UTF-8 bytes are what is digested and stored.

    Keys are texts, in the order of their code points. No white space. An integer is its digits; any other number is the
    shortest decimal that reads back as the same double (`1.0`, `1e-07`, `-0.0`): 1 and 1.0 are two values. A text has
    its characters as they are, in no normal form, but `\"`, `\\` and, below U+0020, `\n`, `\r`, `\t`, `\b`, `\f` or
    `\u00xx`. Reading the text and writing what was read gives the same text.

    Raises: ValueError for NaN and infinities; TypeError for a key that is not a text, and for other types. A lone
    surrogate, which is not Unicode, fails when the text is encoded.
    """
    _refuse_other_keys(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _refuse_other_keys(value: object) -> None:
    """Refuse keys that JSON would turn into texts, because two of them could become one."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"the key {key!r} is no text")
            _refuse_other_keys(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_other_keys(inner)


def digest_of(value: object) -> str:
    """Return the digest of a JSON-like value: of the bytes of its canonical text."""
    return digest_of_bytes(canonical_json(value).encode())


def digest_of_bytes(data: bytes) -> str:
    """Return the digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """Return the digest of one file's bytes, read in blocks."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_of_files(root: Path, paths: Iterable[Path]) -> str:
    """Return the digest of files under `root`, by relative name and content; the order of `paths` does not count."""
    return digest_of({path.relative_to(root).as_posix(): digest_of_file(path) for path in paths})


def short(digest: str, length: int = 12) -> str:
    """Return the first characters of a digest, for display."""
    return digest.rpartition(":")[2][:length]
