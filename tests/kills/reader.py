"""Looks at a publication every 20 ms, each time in one transaction, until a line comes in; then prints what it saw.

Usage: reader.py CATALOG DATA EXTENSIONS
"""

from __future__ import annotations

import json
import select
import sys
from pathlib import Path

from duckdb import DuckDBPyConnection

from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.ledger import read_cut
from dataops_platform.warehouse.open import open_lake

POLL_S = 0.02
Shown = dict[str, list[int]]


def main(catalog: str, data: str, extensions: str) -> None:
    reads, torn, seen = 0, list[dict[str, Shown]](), list[int]()
    with open_lake(LakeLocation(catalog, data, Path(extensions)), read_only=True) as lake:
        print("begins", flush=True)
        while not select.select([sys.stdin], [], [], POLL_S)[0]:
            said, shown = look(lake.connection)
            reads += 1
            if said != shown:
                torn.append({"said": said, "shown": shown})
            generation = said["orders"][0]
            if generation not in seen[-1:]:
                seen.append(generation)
    print(json.dumps({"reads": reads, "torn": torn, "seen": seen}))


def look(connection: DuckDBPyConnection) -> tuple[Shown, Shown]:
    """What the ledger's head says of each table (generation twice, rows), and what the views and the ledger show."""
    connection.execute("begin transaction")
    shown = {"orders": _counted(connection, "orders")}
    last, moved = map(json.loads, connection.execute("select body, moved from lake._dataops.head__dev").fetchall()[0])
    shown |= {table: _counted(connection, table) for table in ("lines", "totals")}
    shown["ledger"] = [row[0] for row in connection.execute("select sequence from lake._dataops.ledger").fetchall()]
    shown["ledger"].sort()  # rows, for `max` may be that of a commit to come: docs/decisions/0005
    members = read_cut(connection, moved["cut"]).members
    connection.execute("commit")
    generation = int(moved["run"].removeprefix("generation "))
    said = {member.name: [generation, generation, member.rows] for member in members}
    return {**said, "ledger": list(range(1, last["sequence"] + 1))}, shown


def _counted(connection: DuckDBPyConnection, table: str) -> list[int]:
    query = f"select min(generation), max(generation), count(*) from lake.dev.{table}"
    return list(connection.execute(query).fetchall()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
