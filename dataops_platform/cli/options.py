"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectFolder = Annotated[Path, typer.Option("--project", help="A folder in the project.", show_default="here")]
Environment = Annotated[str, typer.Option("--env", help="The environment; DATAOPS_ENV or dev when not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
