"""Looks at prod every 20 ms, each time in one transaction, until a line comes in; then prints what it saw.

Usage: watcher.py CATALOG DATA EXTENSIONS. Of each state once: the event that is the last, the release, the model's
version and the held flag that it says, the rows of the two tables, and whether the ledger ends there.
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path
from typing import Any

from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake

POLL_S = 0.02


def main(catalog: str, data: str, extensions: str) -> None:
    seen, reads = list[Any](), 0
    with open_lake(LakeLocation(catalog, data, Path(extensions)), read_only=True) as lake:
        print("begins", flush=True)
        while not select.select([sys.stdin], [], [], POLL_S)[0]:
            found = look(lake)
            reads += 1
            if found not in seen[-1:]:
                seen.append(found)
    print(json.dumps({"reads": reads, "seen": seen}))


def look(lake: Lake) -> dict[str, Any]:
    """What prod shows in this moment."""
    connection = lake.connection
    connection.execute("begin transaction")
    orders = connection.execute("select number from lake.prod.orders").fetchall()
    state = lake.state("prod")
    sales = connection.execute("select number from lake.prod.sales").fetchall()
    ledger = "select sequence from lake._dataops.ledger where environment = 'prod'"
    sequences = sorted(row[0] for row in connection.execute(ledger).fetchall())
    connection.execute("commit")
    models = [member.version for member in state.cut.members if member.kind == "model"]
    return {
        "sequence": state.sequence,
        "whole": sequences == list(range(1, state.sequence + 1)),
        "release": state.release,
        "publication": state.publication,
        "models": models,
        "held": state.held,
        "orders": orders,
        "sales": sales,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
