"""`python -m dataops_platform.cli`: the command line in a chosen interpreter."""

from __future__ import annotations

from dataops_platform.cli.main import main

if __name__ == "__main__":
    main()
