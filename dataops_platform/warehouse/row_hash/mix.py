"""The functions that all hashes are made of. Arithmetic is modulo 2^64 throughout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]


@lru_cache(maxsize=4096)
def key(text: str, lane: int = 0) -> int:
    """Return a constant of 64 bits: eight bytes of the SHA-256 of a text from 8·lane on, little-endian."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[8 * lane :][:8], "little")


def weight(text: str, lane: int = 0) -> int:
    """Return the key of a text, made odd: multiplication by an odd number is a bijection."""
    return key(text, lane) | 1


def mix(words: Words) -> Words:
    """Finalise words in place and return them: a bijection in which each input bit changes about half of the output.

    Source: SplitMix64, https://prng.di.unimi.it/splitmix64.c
    """
    words ^= words >> 30
    words *= 0xBF58476D1CE4E5B9
    words ^= words >> 27
    words *= 0x94D049BB133111EB
    words ^= words >> 31
    return words


def constant(*texts: str) -> int:
    """Return the hash of a value that has nothing but a name, such as null or infinity."""
    import numpy as np

    return int(mix(np.array([sum(map(key, texts)) % 2**64], "u8"))[0])


def combined(hashes: Mapping[str, Words], kind: str, rows: int, lane: int = 0) -> Words:
    """Return one hash for each of `rows` records of named hashes. The order of the names does not count."""
    import numpy as np

    total = np.full(rows, key(kind), "u8")
    for name, words in hashes.items():
        total += words * weight(name, lane)
    return mix(total)
