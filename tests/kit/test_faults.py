"""Fault points do nothing in life and kill the process on demand."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from dataops_platform.kit.faults import FAULT_POINTS, arm, fault_point


def visits_until_killed(specs: str, visits: str) -> tuple[int, list[str]]:
    """How a process ended that armed `specs` and passed `visits` (space separated), and what it got done."""
    program = (
        "from dataops_platform.kit.faults import arm, fault_point\n"
        f"arm({specs!r})\n"
        f"for number, name in enumerate({visits!r}.split(), 1):\n"
        "    fault_point(name)\n"
        "    print(number, name, flush=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout.split("\n")[:-1]


def test_a_fault_point_that_is_not_armed_does_nothing() -> None:
    for name in FAULT_POINTS:
        fault_point(name)


@pytest.mark.parametrize(
    ("specs", "done"),
    [
        ("stage.before_write", []),
        ("stage.before_write:1", []),
        ("stage.before_write:2", ["1 stage.before_write", "2 stage.before_commit"]),
        ("stage.before_commit", ["1 stage.before_write"]),
        ("stage.before_commit:2,stage.before_write:2", ["1 stage.before_write", "2 stage.before_commit"]),
    ],
)
def test_an_armed_fault_point_kills_at_its_nth_visit(specs: str, done: list[str]) -> None:
    visits = "stage.before_write stage.before_commit stage.before_write stage.before_commit"
    assert visits_until_killed(specs, visits) == (-signal.SIGKILL, done)


def test_an_armed_fault_point_that_is_never_reached_kills_nobody() -> None:
    assert visits_until_killed("publish.before_commit:2", "publish.before_commit") == (0, ["1 publish.before_commit"])


def test_arming_nothing_is_no_error() -> None:
    arm("")
    arm(",")
    fault_point(FAULT_POINTS[0])
    assert os.getpid() > 0


def test_a_name_that_is_no_fault_point_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no fault point 'publish\.before_comit'; known: stage\.before_write, "):
        arm("publish.before_comit")


@pytest.mark.parametrize("visit", ["0", "-1", "x", "1.5"])
def test_a_visit_that_never_comes_is_refused(visit: str) -> None:
    with pytest.raises(ValueError, match=r"visits count from 1|invalid literal"):
        arm(f"publish.before_commit:{visit}")
