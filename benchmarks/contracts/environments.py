"""Where each peer lives: an environment of its own, with these versions and nothing of ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = {
    "pandera_polars": ("pandera[polars]==0.35.0", "polars==2.1.0"),
    "pandera_ibis": (
        "pandera[ibis]==0.35.0",
        "ibis-framework==12.0.0",
        "duckdb==1.5.5",
        "pyarrow==26.0.1",
        "pandas==3.1.1",
    ),
    "patito": ("patito==0.8.6", "polars==2.1.0"),
    "dataframely": ("dataframely==3.1.2", "polars==2.1.0"),
    "great_expectations": ("great_expectations==1.24.1", "pandas==3.1.1", "pyarrow==26.0.1"),
}


def python_of(peer: str, folder: Path) -> Path:
    """The interpreter of a peer's environment, made unless it is there. Raises: CalledProcessError.

    Other versions or another Python are another environment; one whose installation broke off has no mark and is
    made again.
    """
    wanted = REQUIREMENTS[peer]
    digest = hashlib.sha256(" ".join([sys.version, *wanted]).encode()).hexdigest()[:8]
    home = folder / "environments" / f"{peer}-{digest}"
    python, mark = home / "bin" / "python", home / "complete"
    if not mark.exists():
        uv = Path(sys.executable).with_name("uv")
        if uv.exists():
            _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, home)
            _run(uv, "pip", "install", "--quiet", "--python", python, *wanted)
        else:
            _run(sys.executable, "-m", "venv", "--clear", home)
            _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted)
        mark.touch()
    return python


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
