"""Servers that `dataops up` starts: together or not at all, and none is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dataops_platform.kit.errors import SystemFailed, UsedWrongly
from dataops_platform.orchestration import servers
from dataops_platform.orchestration.servers import Server, running, watch
from dataops_platform.settings.project import Project, load_project

WEB = """
import http.server, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background would start deaf to it
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
DEAF = "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); os.fork(); time.sleep(600)"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "dataops.yaml").write_text("project: shop\nowner: team:shop\nenvironments: {dev: {}}\n")
    return load_project(tmp_path)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def python(name: str, code: str, *arguments: str, port: int | None = None) -> Server:
    return Server(name, (sys.executable, "-c", code, *arguments), port, "/")


def gone(group: int) -> bool:
    """Whether no process of a group is left; one that ended and was not waited for does not count."""
    listed = subprocess.run(["ps", "-e", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    return not any(int(of) == group and stat[0] != "Z" for of, stat in map(str.split, listed.splitlines()))


def test_they_run_until_the_block_ends(project: Project, port: int) -> None:
    with running(project, [python("web", WEB, str(port), port=port)]) as started:
        group = started[0].process.pid
        assert not gone(group)
    assert gone(group)
    assert '"GET / HTTP/1.1" 200' in started[0].log.read_text()


def test_a_port_that_is_taken_is_named_before_anything_starts(project: Project, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(UsedWrongly, match=rf"DP-R020 Port {port} of 127.0.0.1 is taken, and web needs it"):
            running(project, [python("web", WEB, str(port), port=port)]).__enter__()
    assert not (project.state_dir / "logs").exists()


def test_where_one_ends_its_last_words_are_told_and_the_others_stopped(project: Project, port: int) -> None:
    failing = python("daemon", "import time; time.sleep(1); raise SystemExit('no such schedule')")
    with (
        pytest.raises(SystemFailed, match=r"DP-R021 daemon ended with 1: no such schedule"),
        running(project, [python("web", WEB, str(port), port=port), failing]) as started,
    ):
        watch(started)
    assert all(gone(one.process.pid) for one in started)


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[], None]]:
    """Presses Ctrl-C in this process in a second; some that run tests are deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start
    signal.signal(signal.SIGINT, before)


def test_one_that_does_not_listen_is_killed_with_all_it_started(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "STOP_S", 0.5)
    with running(project, [python("deaf", DEAF)]) as started:
        time.sleep(0.5)
    assert gone(started[0].process.pid)


def test_who_asks_a_second_time_does_not_wait(project: Project, ctrl_c: Callable[[], None]) -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), running(project, [python("deaf", DEAF)]) as started:
        time.sleep(0.5)
        ctrl_c()
    assert gone(started[0].process.pid)
    assert time.monotonic() - began < servers.STOP_S
