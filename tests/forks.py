"""Many processes for tests, each forked from one that has Python's imports behind it: a start takes milliseconds.

A child is a process of its own, opens its own DuckDB and dies of SIGKILL as any does. What it is forked from has
opened nothing. Run as a program (`forks.py SOCKET MODULE…`), this is that process: it imports the modules, and then
forks a child for every order.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LONGEST_ORDER = 1 << 20


class Forks:
    """Starts Python programs as `subprocess.Popen` does, after a first time that takes as long as their imports."""

    def __init__(self, *modules: str) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST_ORDER)
        with theirs:
            self._origin = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno()), *modules],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads do not come along into a child
            )

    def start(self, command: Sequence[object], cwd: Path | None = None, **variables: str) -> Child:
        """Runs `PROGRAM ARGUMENT…`, with more environment variables; in a session of its own."""
        said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - the child closes it
        to_stdin, from_stdout, status = os.pipe(), os.pipe(), os.pipe()
        order = {"command": [*map(str, command)], "cwd": str(cwd or Path.cwd()), "env": {**os.environ, **variables}}
        given = [to_stdin[0], from_stdout[1], said.fileno(), status[1]]
        socket.send_fds(self._orders, [json.dumps(order).encode()], given)
        for end in (to_stdin[0], from_stdout[1], status[1]):
            os.close(end)
        return Child(os.fdopen(to_stdin[1], "w"), os.fdopen(from_stdout[0]), said, os.fdopen(status[0]))

    def close(self) -> None:
        """Ends the process that all are forked from, when they have ended."""
        self._orders.close()
        assert self._origin.wait(60) == 0


class Child:
    """A process that was started: as much of `subprocess.Popen` as tests use."""

    def __init__(self, stdin: Any, stdout: Any, stderr: Any, status: Any) -> None:
        self.stdin, self.stdout, self.stderr, self._status = stdin, stdout, stderr, status
        self.pid, self.returncode = int(status.readline()), None

    def kill(self) -> None:
        """Kills it with SIGKILL, if it is there still."""
        if not select.select([self._status], [], [], 0)[0]:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self, text: str = "", timeout: float = 120) -> tuple[str, str]:
        """Sends the rest of its input, and waits; gives the rest of its output, and all its errors.

        Raises: TimeoutError when it does not end in `timeout` seconds; it is killed then.
        """
        late = threading.Timer(timeout, self.kill)
        late.start()
        try:
            self.stdin.write(text)
            self.stdin.close()
        except BrokenPipeError:
            pass  # it ended without reading
        rest, ended = self.stdout.read(), int(self._status.readline())
        in_time = late.is_alive()
        late.cancel()
        errors = self.errors()
        for one in (self.stdout, self.stderr, self._status):
            one.close()
        if not in_time:
            raise TimeoutError(f"process {self.pid} did not end in {timeout} s: {errors[-500:]}")
        self.returncode = ended
        return rest, errors

    def errors(self) -> str:
        """What it wrote to standard error so far."""
        self.stderr.seek(0)
        return str(self.stderr.read())


def serve(orders: socket.socket, modules: Sequence[str]) -> Mapping[str, Any] | None:
    """Forks a child for each order; gives the order in that child, and None in the end."""
    from dataops_platform.warehouse.attach import OPTIONS

    for name in modules:
        importlib.import_module(name)
    assert "polars" not in sys.modules, "polars starts threads when it is imported, and waits for them in a child"
    # the check of the extensions' signatures takes longer than what is done, and more threads than one as long again
    OPTIONS.update(allow_unsigned_extensions=True, threads=1)
    waiting = list[int]()
    """For each child that lives a process that tells how it ends."""
    while True:
        waiting = [one for one in waiting if os.waitpid(one, os.WNOHANG) == (0, 0)]
        said, fds, _, _ = socket.recv_fds(orders, LONGEST_ORDER, 4)
        if not said:
            for one in waiting:
                os.waitpid(one, 0)
            return None
        waiting.append(os.fork())
        if waiting[-1] == 0:
            orders.close()
            *stdio, status = fds
            child = os.fork()
            if child == 0:
                os.close(status)
                os.setsid()
                for number, fd in enumerate(stdio):
                    os.dup2(fd, number)
                    os.close(fd)
                return json.loads(said)  # type: ignore[no-any-return]
            for fd in stdio:
                os.close(fd)
            os.write(status, f"{child}\n".encode())
            _, ended = os.waitpid(child, 0)
            os.write(status, f"{os.waitstatus_to_exitcode(ended)}\n".encode())
            os._exit(0)
        for fd in fds:
            os.close(fd)


def live(order: Mapping[str, Any]) -> None:
    """What the child does: the program, as if it had been started by itself."""
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv = list(order["command"])
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    wanted = serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
    if wanted is not None:
        live(wanted)
