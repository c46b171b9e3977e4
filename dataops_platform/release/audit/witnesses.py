"""Verifies a ledger against its witnesses: anchors outside the lake, and signatures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dataops_platform.kit.signatures import key_of, principals_of
from dataops_platform.release.audit.fault import Fault
from dataops_platform.warehouse.anchors import Anchor
from dataops_platform.warehouse.ledger import LedgerRow

UNSIGNED = "unsigned"


def anchor_faults(rows: Sequence[LedgerRow], anchors: Sequence[Anchor]) -> Iterator[Fault]:
    """Yield a fault for each anchor whose event is missing or has another hash."""
    hashes = {row.sequence: row.hash for row in rows}
    for anchor in anchors:
        if anchor.sequence not in hashes:
            what = f"{anchor.where} remembers it, and the ledger has no such event"
        elif hashes[anchor.sequence] != anchor.hash:
            what = f"it is another event than the one that {anchor.where} remembers"
        else:
            continue
        yield Fault(anchor.environment, anchor.sequence, what)


def signature_faults(rows: Sequence[LedgerRow]) -> Iterator[Fault]:
    """Yield a fault for each signature that does not sign its event's hash. An unsigned event is no fault."""
    for row in rows:
        if row.signature is not None and key_of(row.hash, row.signature) is None:
            yield Fault(row.environment, row.sequence or 0, "its signature is not one of this event")


def signer(row: LedgerRow, signers: Path) -> str:
    """Return a text that names who signed an event; `unsigned` without a signature.

    `signers` is the file of allowed signers, which need not exist.
    """
    if row.signature is None:
        return UNSIGNED
    key = key_of(row.hash, row.signature)
    if key is None:
        return "signed wrongly: the signature is not one of this event"
    known = principals_of(row.signature, signers) if signers.is_file() else []
    return (
        f"signed by {', '.join(known)} ({key})"
        if known
        else f"signed by a key that {signers.name} does not have ({key})"
    )
