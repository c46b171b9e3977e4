"""What the digest of a table costs: processors on top of reading it, beside the text and MD5 of every row.

Run: python -m benchmarks.digest [--rows 10000000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS = """
select i as id, 'SHP-' || (i * 7919) % 10000019 as sku, 'note about ' || i % 5000 as note,
    (i % 1000)::integer as quantity, case when i % 10 > 0 then (i % 77)::smallint end as boxes,
    (i * 2654435761 % 100000) / 100.0::double as weight_kg, (i * 40503 % 1000003) / 7::double as share,
    (i * 31 % 10000000 / 100)::decimal(9, 2) as price,
    (i * 65537 % 1000000007)::decimal(18, 4) as amount, date '2020-01-01' + (i % 1500)::integer as ordered_on,
    timestamp '2020-01-01' + interval (i) second as shipped_at, i % 3 = 0 as express
from range({rows}) t(i)
"""
MEBIBYTE = 1024 if sys.platform != "darwin" else 1024**2


@dataclass(frozen=True)
class Cost:
    """Of one run in a process of its own: seconds of processors without imports, peak of resident memory, and a text
    that must be the same each time.
    """

    cpu_s: float
    peak_mib: int
    found: str


def scan(connection: DuckDBPyConnection, rows: str) -> str:
    """DuckDB reads every value of every column, and sums something of it."""
    columns = [name for name, *_ in connection.execute(f"describe {rows}").fetchall()]
    sums = ", ".join(f"bit_xor(hash({name}))" for name in columns)
    return str(connection.execute(f"select {sums} from ({rows})").fetchone())


def read(connection: DuckDBPyConnection, rows: str) -> str:
    """The rows as a stream of Arrow batches, which are dropped."""
    from dataops_platform.warehouse.digest import BATCH_ROWS

    return str(sum(batch.num_rows for batch in connection.execute(rows).to_arrow_reader(BATCH_ROWS)))


def digest(connection: DuckDBPyConnection, rows: str) -> str:
    """The digest: the same stream, hashed and summed."""
    from dataops_platform.warehouse.digest import digests

    return str(digests(connection, f"({rows})", [""])[""])


def text_and_md5(connection: DuckDBPyConnection, rows: str) -> str:
    """The peer: in SQL, the canonical text of each row, the sums of the halves of its MD5."""
    from dataops_platform.warehouse.canonical import canonical

    described = connection.execute(f"describe {rows}").fetchall()
    row = f"concat_ws(chr(31), {', '.join(canonical(name, kind) for name, kind, *_ in described)})"
    halves = f"(number >> 64)::hugeint as high, (number & {2**64 - 1}::uhugeint)::hugeint as low"
    numbers = f"select {halves} from (select md5_number({row}) as number from ({rows}))"
    return str(connection.execute(f"select sum(high) % {2**64}, sum(low) % {2**64} from ({numbers})").fetchone())


SIDES: dict[str, Callable[[DuckDBPyConnection, str], str]] = {
    "scan": scan,
    "read": read,
    "digest": digest,
    "text and MD5": text_and_md5,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the costs of each side; 1 when a side found something else in another round."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.digest", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows of the table (default 10000000)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side; medians are shown (default 3)")
    parser.add_argument("--side", nargs=2, metavar=("NAME", "FILE"), help="run one side on a Parquet file, print JSON")
    options = parser.parse_args(arguments)
    if options.side:
        print(json.dumps(asdict(_measured(*options.side))))
        return 0
    before = os.getloadavg()[0]
    costs = _rounds(options.rows, options.rounds)
    print(f"{options.rows:,} rows × 12 columns, medians of {options.rounds} rounds")
    for line in table(costs):
        print(line)
    print(f"\nload average {before:.2f} before, {os.getloadavg()[0]:.2f} after, on {os.cpu_count()} cores")
    return 0 if all(len({cost.found for cost in of}) == 1 for of in costs.values()) else 1


def table(costs: dict[str, list[Cost]]) -> list[str]:
    """The costs in Markdown: medians, and what lies on top of the reading."""
    lines = ["", "| side | processors, s | on top of `read`, s | peak memory, MiB |", "|---|---|---|---|"]
    medians = {side: statistics.median(cost.cpu_s for cost in of) for side, of in costs.items()}
    for side, of in costs.items():
        more = f"{medians[side] - medians['read']:.1f}" if side in ("digest", "text and MD5") else ""
        lines.append(f"| `{side}` | {medians[side]:.1f} | {more} | {max(cost.peak_mib for cost in of)} |")
    return lines


def _rounds(rows: int, rounds: int) -> dict[str, list[Cost]]:
    """The costs of each side; sides take turns, and every other round runs backwards."""
    import duckdb

    costs: dict[str, list[Cost]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory(prefix="digest-") as folder:
        file = Path(folder) / "rows.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"copy ({ROWS.format(rows=rows)}) to '{file}' (format parquet)")
        for number in range(rounds):
            for side in list(SIDES)[:: -1 if number % 2 else 1]:
                command = [sys.executable, "-m", "benchmarks.digest", "--side", side, str(file)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                costs[side].append(Cost(**json.loads(done.stdout)))
                print(f"round {number + 1}: {side} {costs[side][-1].cpu_s:.1f} s", file=sys.stderr)
    return costs


def _measured(side: str, file: str) -> Cost:
    import duckdb

    with duckdb.connect() as connection:
        SIDES[side](connection, ROWS.format(rows=10))  # imports what it needs
        before = resource.getrusage(resource.RUSAGE_SELF)
        found = SIDES[side](connection, f"select * from read_parquet('{file}')")
        after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(used, after.ru_maxrss // MEBIBYTE, found)


if __name__ == "__main__":
    sys.exit(main())
