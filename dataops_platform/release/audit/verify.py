"""Verifies the ledgers of a lake, and finds the first bad event of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from dataops_platform.kit.errors import DataOpsError, Refused, SystemFailed
from dataops_platform.manifests.cut import Cut
from dataops_platform.manifests.events import Event, read_event
from dataops_platform.manifests.history import collection_of, moves
from dataops_platform.manifests.windows import nodes_below
from dataops_platform.release.audit.chain import chain_faults, head_faults
from dataops_platform.release.audit.fault import Fault
from dataops_platform.release.audit.kept import kept_faults
from dataops_platform.release.audit.witnesses import anchor_faults, signature_faults
from dataops_platform.warehouse import anchors, documents, ledger, nodes
from dataops_platform.warehouse.anchors import Anchor
from dataops_platform.warehouse.lake import Lake

Remembered = Callable[[str], Sequence[Anchor]]
"""Returns the anchors of an environment that are stored elsewhere than beside the lake."""


@dataclass(frozen=True)
class Verified:
    """The verification of one ledger: its faults, and how many events it has, how many of them anchored or signed."""

    environment: str
    events: int
    anchored: int
    signed: int
    faults: tuple[Fault, ...]

    @property
    def first(self) -> Fault | None:
        """The fault of the first bad event, or None."""
        return self.faults[0] if self.faults else None


def verify(
    lake: Lake, environment: str = "", remembered: Remembered = lambda _: (), others: Iterable[str] = ()
) -> list[Verified]:
    """Verify the ledger of an environment; by default of every environment with a ledger or an anchor.

    `remembered` returns further anchors. `others` names environments whose anchors it may have although the lake has
    lost them. All stored releases and plans are verified in each case, against the events of all environments.
    """
    here = {*lake.environments(), *anchors.environments(lake.anchors)}
    known = sorted({*here, *(name for name in others if name not in here and _anchors(lake, name, remembered)[0])})
    rows = {name: ledger.read_rows(lake.connection, name) for name in known}
    kept = kept_faults(documents.read_rows(lake.connection), [e for found in rows.values() for e in _events(found)])
    wanted = [environment] if environment else known
    return [_verified(lake, name, rows.get(name, []), kept, remembered) for name in wanted]


def refuse_faults(verified: Sequence[Verified]) -> None:
    """Refuse ledgers with faults. Raises: Refused DP-L042 naming the first bad event of each."""
    bad = [one.first for one in verified if one.first]
    if bad:
        raise Refused("DP-L042", faults="; ".join(map(str, bad)))


def _verified(
    lake: Lake, environment: str, rows: Sequence[ledger.LedgerRow], kept: Sequence[Fault], remembered: Remembered
) -> Verified:
    beside, unreadable = _anchors(lake, environment, remembered)
    faults = [
        *chain_faults(rows, partial(_cut, lake)),
        *_tree_faults(lake, [*_events(rows)]),
        *_head_faults(lake, environment, rows),
        *anchor_faults(rows, beside),
        *signature_faults(rows),
        *(fault for fault in kept if fault.environment in ("", environment)),
        *unreadable,
    ]
    return Verified(
        environment,
        len(rows),
        len({anchor.sequence for anchor in beside}),
        sum(row.signature is not None for row in rows),
        tuple(sorted(faults, key=lambda fault: (not fault.sequence, fault.sequence))),
    )


def _anchors(lake: Lake, environment: str, remembered: Remembered) -> tuple[list[Anchor], list[Fault]]:
    found, unreadable = list[Anchor](), list[Fault]()
    for read in (partial(anchors.read, lake.anchors), remembered):
        try:
            found += read(environment)
        except DataOpsError as error:
            unreadable.append(Fault(environment, 0, error.message))
    return found, unreadable


def _head_faults(lake: Lake, environment: str, rows: Sequence[ledger.LedgerRow]) -> Iterator[Fault]:
    import duckdb

    try:
        head = ledger.read_head(lake.connection, environment)
    except (duckdb.Error, TypeError):
        last = rows[-1].sequence if rows else 0
        yield Fault(environment, last or 0, "the head view does not say that it is the last")
        return
    yield from head_faults(environment, rows, head)


def _events(rows: Sequence[ledger.LedgerRow]) -> Iterator[Event]:
    for row in rows:
        with suppress(TypeError, ValueError):
            yield read_event(row.body)


def _tree_faults(lake: Lake, events: Sequence[Event]) -> Iterator[Fault]:
    """Yield the states that can be returned to but whose trees of windows are not stored as they were."""
    whole: set[str] = set()
    for event in moves(events):
        cut = _cut(lake, event.cut)
        if cut is None or collection_of(events, event.sequence):
            continue
        trees = {member.windows.node for member in (*cut.members, *(cut.under or ()))} - whole
        try:
            nodes_below(trees, partial(nodes.read, lake.connection))
        except SystemFailed:
            yield Fault(event.environment, event.sequence, "the windows of its tables are not kept as they were")
        else:
            whole |= trees


def _cut(lake: Lake, name: str) -> Cut | None:
    try:
        return ledger.read_cut(lake.connection, name) if name else None
    except (SystemFailed, ValueError):
        return None
