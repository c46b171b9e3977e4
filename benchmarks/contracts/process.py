"""A command as a process of its own, and what it cost: seconds, seconds of processors, peak memory.

Linux counts the memory of the process that starts another into the peak of that other, so this file is also a small
program that does nothing but start the command and wait for it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LOOK_EVERY_S = 0.1
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """Wall seconds from start to end, seconds of all processors, peak of resident memory, of that process alone."""

    wall_s: float
    cpu_s: float
    peak_gb: float


@dataclass(frozen=True)
class Limits:
    """When a process is ended: after so many seconds, or above so much resident memory (where `/proc` shows it)."""

    seconds: float
    memory_gb: float


class Ended(Exception):
    """A process that did not do its work: above a limit, or with an error. The text is the reason."""


def measured(command: Sequence[str], *, folder: Path, environment: Mapping[str, str], limits: Limits) -> Cost:
    """Runs a command in `folder`. Raises: Ended, with the last line that it said."""
    starter = [sys.executable, "-I", "-S", __file__, json.dumps(asdict(limits)), *command]
    done = subprocess.run(
        starter, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    if found["reason"]:
        raise Ended(found["reason"])
    if found["code"]:
        raise Ended(_why(found["code"], done.stderr))
    return Cost(found["wall_s"], found["cpu_s"], found["peak_gb"])


def _why(code: int, said: str) -> str:
    if code < 0:
        return f"was ended by signal {-code}" + (" (out of memory?)" if code == -signal.SIGKILL else "")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"ended with {code} and said nothing"


def _main() -> None:
    """Starts the command, ends it above a limit, prints what the kernel says of this one child."""
    limits, begun = Limits(**json.loads(sys.argv[1])), time.perf_counter()
    child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=sys.stderr)
    over, reasons = threading.Event(), list[str]()
    watch = threading.Thread(target=_end_above, args=(child.pid, limits, over, reasons), daemon=True)
    watch.start()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    over.set()
    found = {
        "wall_s": wall,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_gb": usage.ru_maxrss * MAXRSS_BYTES / 1e9,
        "code": os.waitstatus_to_exitcode(status),
        "reason": reasons[0] if reasons else "",
    }
    child.returncode = found["code"]
    print(json.dumps(found))


def _end_above(pid: int, limits: Limits, over: threading.Event, reasons: list[str]) -> None:
    begun = time.perf_counter()
    while not over.wait(LOOK_EVERY_S):
        if time.perf_counter() - begun > limits.seconds:
            reasons.append(f"took more than {limits.seconds:g} s")
        elif _resident_gb(pid) > limits.memory_gb:
            reasons.append(f"took more than {limits.memory_gb:g} GB")
        if reasons:
            os.kill(pid, signal.SIGKILL)
            return


def _resident_gb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    _main()
