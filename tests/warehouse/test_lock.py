"""Who may write: one process at a time on SQLite, one holder of a name on PostgreSQL; a dead one holds nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from dataops_platform.kit.errors import SystemFailed
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lock import WriteLock

HOLD = """
import sys
from pathlib import Path
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lock import WriteLock
lock = WriteLock(LakeLocation(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
with lock.held(), lock.advisory(sys.argv[4]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def held_elsewhere(location: LakeLocation, name: str = "dev") -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until it is told to let go, or killed."""
    arguments = [sys.executable, "-c", HOLD, location.catalog, location.data, str(location.extensions), name]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout and child.stdout.readline() == "held\n"
        try:
            yield child
        finally:
            child.kill()


def exclusive(location: LakeLocation, timeout_s: float, name: str = "dev") -> AbstractContextManager[None]:
    """What keeps others out: the file beside a SQLite catalog, the name on PostgreSQL."""
    lock = WriteLock(location, timeout_s)
    return lock.held() if location.sqlite_path else lock.advisory(name)


def test_a_second_process_waits_and_is_told_when_it_waited_too_long(location: LakeLocation) -> None:
    with held_elsewhere(location), pytest.raises(SystemFailed, match=r"^DP-W003 Another process has been writing"):
        began = time.monotonic()
        with exclusive(location, timeout_s=0.3):
            raise AssertionError("two hold one lock")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("end", [lambda child: child.kill(), lambda child: child.communicate("\n")])
def test_the_lock_is_free_when_its_holder_lets_go_or_dies(
    location: LakeLocation, end: Callable[[subprocess.Popen[str]], object]
) -> None:
    with held_elsewhere(location) as child:
        end(child)
        with exclusive(location, timeout_s=20):
            pass


def test_the_same_holder_may_take_it_again_inside(location: LakeLocation) -> None:
    lock = WriteLock(location, timeout_s=0.3)
    with lock.held():
        with lock.held(), pytest.raises(RuntimeError), lock.held():
            raise RuntimeError
        if location.sqlite_path:
            with pytest.raises(SystemFailed, match="DP-W003"), WriteLock(location, 0.1).held():
                pass
    with WriteLock(location, 0.1).held():
        pass


def test_a_name_on_postgres_keeps_out_only_the_same_name(location: LakeLocation) -> None:
    if location.sqlite_path:
        with WriteLock(location).advisory("dev"), WriteLock(location).advisory("dev"):
            return
    with held_elsewhere(location, "dev"), exclusive(location, 5, "prod"), WriteLock(location).held():
        pass


def test_many_processes_and_one_counter(location: LakeLocation, tmp_path_factory: pytest.TempPathFactory) -> None:
    counter = tmp_path_factory.mktemp("counter") / "count"
    counter.write_text("0")
    code = HOLD.partition("with lock.held()")[0] + (
        "for _ in range(20):\n"
        "    with lock.held(), lock.advisory('dev'):\n"
        "        path = Path(sys.argv[4]); path.write_text(str(int(path.read_text()) + 1))\n"
    )
    arguments = [sys.executable, "-c", code, location.catalog, location.data, str(location.extensions), str(counter)]
    children = [subprocess.Popen(arguments) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0, 0, 0]
    assert counter.read_text() == "60"
