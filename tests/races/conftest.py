"""Processes that race on one lake, long-lived."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.warehouse.attach import LakeLocation

HEAD_START_S = 0.2
Order = Mapping[str, Any]


@pytest.fixture
def location(location: LakeLocation, tmp_path: Path) -> LakeLocation:
    """Where the lake of this race is; it has anchors."""
    return replace(location, anchors=tmp_path / "anchors")


class Pool:
    """Processes that have one lake open and wait for orders."""

    def __init__(self, forks: Any, location: LakeLocation, code: Path, size: int) -> None:
        place = (location.catalog, location.data, location.extensions, location.anchors, code)
        self.names = [f"w{number}" for number in range(size)]
        program = Path(__file__).with_name("worker.py")
        self.workers = [forks.start([program, *place, name], LOGNAME=name) for name in self.names]
        for worker, name in zip(self.workers, self.names, strict=True):
            assert self._answer(worker) == {"ready": name}

    def race(self, orders: Sequence[Order]) -> list[Any]:
        """Gives each of the first workers an order, all to begin at one moment; gives their answers in order."""
        at = time.time() + HEAD_START_S
        racing = self.workers[: len(orders)]
        for worker, order in zip(racing, orders, strict=True):
            worker.stdin.write(json.dumps({**order, "at": at}) + "\n")
            worker.stdin.flush()
        return [self._answer(worker) for worker in racing]

    def _answer(self, worker: Any) -> Any:
        line = worker.stdout.readline()
        assert line, f"a worker ended: {worker.errors()[-2000:]}"
        return json.loads(line)

    def end(self) -> None:
        for worker in self.workers:
            worker.communicate()


@pytest.fixture
def pool(forks: Any, location: LakeLocation, tmp_path: Path) -> Callable[[int], Any]:
    """Makes a pool of so many processes; they end with the block."""

    @contextmanager
    def made(size: int) -> Iterator[Pool]:
        started = Pool(forks, location, tmp_path / "shop", size)
        try:
            yield started
        finally:
            started.end()

    return made
