"""SHA-256 digests of plain records and files, written `sha256:<hex>`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def canonical_json(value: object) -> str:
    """JSON with sorted keys and no white space: equal records give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(value: object) -> str:
    """Digest of a JSON-like value."""
    return digest_of_bytes(canonical_json(value).encode())


def digest_of_bytes(data: bytes) -> str:
    """Digest of bytes as they are."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of_file(path: Path) -> str:
    """Digest of one file's bytes, read in blocks."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def digest_of_files(root: Path, paths: Iterable[Path]) -> str:
    """Digest of files under `root`: relative names and bytes, whatever order they come in."""
    return digest_of({path.relative_to(root).as_posix(): digest_of_file(path) for path in paths})


def short(digest: str, length: int = 12) -> str:
    """The first characters of a digest, for people."""
    return digest.rpartition(":")[2][:length]
