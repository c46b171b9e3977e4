"""Writes the expected outcomes anew, all or those named: `python -m tests.corpus.write refused_rows`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.corpus.stories import EXPECTED, STORIES, told


def main() -> None:
    """Tells each story in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or STORIES:
            before = sum(os.times()[:4])
            (EXPECTED / f"{name}.json").write_text(told(name, Path(folder) / name / "project"))
            print(f"{name}: {sum(os.times()[:4]) - before:.1f} s of processors", flush=True)


if __name__ == "__main__":
    main()
