"""How large what the lake keeps for good gets, and how long it takes to use it: 1,000 tables of 1,000 windows each.

Rows are simulated: a table holds two of them, whatever its manifests say. Heads, manifests and trees of windows are all
there, and what is timed are the platform's own functions on a lake with a SQLite catalog.

    python -m benchmarks.formats --tables 1000 --windows 1000
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import pyarrow as pa

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.digests import canonical_json
from dataops_platform.kit.record import plain_of
from dataops_platform.manifests.events import event_text
from dataops_platform.manifests.manifest import InputRef, Manifest, StepIdentity
from dataops_platform.manifests.windows import Planted, plant
from dataops_platform.release.promotion.differences.age import newest_audit
from dataops_platform.release.promotion.differences.rows import rows_section
from dataops_platform.release.promotion.gates.question import Question
from dataops_platform.release.release import Release
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.stages.publish.run import publish
from dataops_platform.stages.step import RunContext
from dataops_platform.status.pending import release_lines
from dataops_platform.warehouse import nodes
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.heads import HEADS, heads_of_cut
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import open_lake
from dataops_platform.warehouse.session import Session

T = TypeVar("T")
CHANGED = 10
"""Tables that get one more window before the second publication."""
CONTRACT = "sha256:" + "c" * 64
FIRST = date(2023, 1, 1)


def main() -> None:
    """Prints the sizes and the times as a table in Markdown."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tables", type=int, default=1000)
    asked.add_argument("--windows", type=int, default=1000)
    options = asked.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        project = Project(root, DataOpsYaml(**SETTINGS), "dev")
        location = LakeLocation(f"sqlite:{root}/lake.sqlite", f"{root}/data", root / "extensions")
        with open_lake(location) as lake:
            names = fill(lake, options.tables, options.windows)
            rows = [*measured(lake, project, names, options.windows)]
            rows += [("catalog, all of it", size((root / "lake.sqlite").stat().st_size))]
    print(f"\n| {options.tables} tables x {options.windows} windows | |\n|---|---|")
    print("\n".join(f"| {what} | {figure} |" for what, figure in rows))


SETTINGS: dict[str, Any] = {
    "project": "simulated",
    "owner": "team:simulated",
    "environments": {"dev": {}, "prod": {"from": "dev"}},
}


def measured(lake: Lake, project: Project, names: Sequence[str], windows: int) -> Iterator[tuple[str, str]]:
    """What is measured, and each figure in words."""
    context = RunContext("run-1", Actor("ann"), utc_now)
    first, seconds = timed(lambda: publish(lake, project, names, {}, context)[0])
    yield "the first publication, of all tables", seconds
    changed = names[-CHANGED:]
    yield f"{CHANGED} steps that write one window each", timed(lambda: add_windows(lake, changed, windows))[1]
    before = kept_bytes(lake)
    second, seconds = timed(lambda: publish(lake, project, names, {}, context)[0])
    yield f"a publication after one more window in each of {CHANGED} tables", seconds
    _, seconds = timed(lambda: publish(lake, project, names, {}, context))
    yield "a publication of what is shown already", seconds
    question = Question(
        project=project,
        lake=lake,
        release=cast("Release", None),
        state=second,
        heads=heads_of_cut(lake.connection, second.cut),
        shown=heads_of_cut(lake.connection, first.cut),
        plan="",
        asked_by="",
        now=datetime.now(UTC),
    )
    found, seconds = timed(lambda: rows_section(question, {}, {}))
    assert len(found["tables"]) == CHANGED, found["message"]
    yield f"a plan's differences of rows, of two cuts with {CHANGED} tables that differ", seconds
    yield "a plan's age of the data", timed(lambda: newest_audit(question.heads.values()))[1]
    yield (
        "the board of `status`, as far as the lake tells it",
        timed(lambda: release_lines(Session(project, lake, context.actor)))[1],
    )
    yield "all heads of the build area", timed(lambda: lake.heads("dev"))[1]
    yield "the state that is shown", timed(lambda: lake.state("dev"))[1]
    assert second.event
    head = lake.heads("dev")[names[-1]]
    whole = manifest("mart", "", [head.ref()])
    yield "a cut", size(len(second.cut.to_text()))
    yield "an event", size(len(event_text(second.event)))
    yield "a manifest of one window", size(len(head.manifests[-1].to_json()))
    yield "a manifest of a table made from a whole one", size(len(whole.to_json()))
    yield f"what the second publication wrote, its {CHANGED} windows left out", size(kept_bytes(lake) - before)
    yield "a tree of windows, nodes on the way to one window", size(on_the_way(lake, head.windows.node))


def timed(work: Callable[[], T]) -> tuple[T, str]:
    """What some work gives, and the seconds it took."""
    began, processors = time.perf_counter(), time.process_time()
    found = work()
    return found, f"{time.perf_counter() - began:.2f} s (processors {time.process_time() - processors:.2f} s)"


def size(count: int) -> str:
    """A number of bytes in KB."""
    return f"{count / 1000:,.1f} KB"


def fill(lake: Lake, tables: int, windows: int) -> list[str]:
    """Tables (an even number) with their heads. The second half read the first, window by window; gives all names."""
    half = tables // 2
    names = [f"table_{number:04}" for number in range(tables)]
    keys = [(FIRST + timedelta(days=day)).isoformat() for day in range(windows)]
    lake.create_schema("dev__build")
    with lake.transaction():
        for name in names:
            target = f"lake.dev__build.{name}"
            lake.connection.execute(f"create table {target} as {rows_of(keys[-1])}")
            lake.connection.execute(f"alter table {target} set partitioned by (_dp_partition)")
    version = lake.current_version()
    for source, reader in zip(names[:half], names[half:], strict=False):
        made = [manifest(source, key, []) for key in keys]
        keep(lake, made, plant(m.window for m in made), version)
        refs = [InputRef(m.name, m.digest, m.partition, (m.id,)) for m in made]
        made = [manifest(reader, key, [ref]) for key, ref in zip(keys, refs, strict=True)]
        keep(lake, made, plant(m.window for m in made), version)
    return names


def keep(lake: Lake, manifests: Sequence[Manifest], planted: Planted, version: str) -> None:
    """Writes heads and nodes as the lake does, but all at once."""
    count, windows = len(manifests), canonical_json(plain_of(planted.windows))
    rows = pa.table(
        {
            "environment": ["dev"] * count,
            "name": [m.name for m in manifests],
            "kind": ["table"] * count,
            "partition": [m.partition for m in manifests],
            "manifest": [m.id for m in manifests],
            "version": [version] * count,
            "body": [m.to_json() for m in manifests],
            "pointer": [0] * count,
            "windows": [windows] * count,
            "seen": [0] * count,
        }
    )
    texts = pa.table({"id": list(planted.nodes), "body": list(planted.nodes.values())})
    with lake.transaction():
        lake.connection.register("_rows", rows)
        lake.connection.register("_texts", texts)
        lake.connection.execute(f"insert into {HEADS} from _rows")
        lake.connection.execute(f"insert into {nodes.NODES} from _texts")
        lake.connection.unregister("_rows")
        lake.connection.unregister("_texts")


def manifest(name: str, key: str, inputs: Sequence[InputRef]) -> Manifest:
    """A manifest as a clean step writes one."""
    return Manifest(
        environment="dev",
        stage="clean" if inputs else "extract",
        name=name,
        kind="table",
        partition=key,
        run_id="4f2a0b1c-0000-4000-8000-000000000001",
        step=StepIdentity("sha256:" + "1" * 64, "sha256:" + "2" * 64, CONTRACT, tuple(inputs)),
        digest=f"dp1:1000:{hash_of_name(name, key):032x}",
        rows_in=1000,
        rows_audited=1000,
        rows_refused=0,
        recorded_at="2026-01-01T05:00:00+00:00",
        contract_version="1.0.0",
    )


def hash_of_name(name: str, key: str) -> int:
    """A number that stands for content."""
    return int.from_bytes(f"{name}{key}".encode()[-12:], "big")


def rows_of(key: str) -> str:
    """SQL of the two rows of a window."""
    return f"select i as id, '{key}' as _dp_partition from range(2) t(i)"


def add_windows(lake: Lake, names: Sequence[str], windows: int) -> list[Manifest]:
    """What steps do that make one more window each: read heads, write rows, record."""
    key = (FIRST + timedelta(days=windows)).isoformat()
    made = []
    for name in names:
        source = lake.heads("dev")[name]
        with lake.stage("dev", name) as staging:
            (found,) = staging.replace(rows_of(key), [key]).values()
            one = replace(manifest(name, key, []), digest=str(found.digest), rows_audited=found.digest.rows)
            staging.record([one])
        assert source.windows.count == windows
        made.append(one)
    return made


def kept_bytes(lake: Lake) -> int:
    """The bytes of all texts, events included."""
    row = lake.connection.execute(
        f"select (select sum(strlen(body)) from {nodes.NODES}) + (select sum(strlen(body)) from lake._dataops.ledger)"
    ).fetchone()
    return int(row[0] or 0) if row else 0


def on_the_way(lake: Lake, node: str) -> int:
    """The bytes of the nodes from a root down to a leaf."""
    text = partial(nodes.read, lake.connection)([node])[node]
    children = json.loads(text).get("children", {})
    return len(text) + (on_the_way(lake, next(iter(children.values()))[1]) if children else 0)


if __name__ == "__main__":
    main()
