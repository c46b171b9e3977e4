"""Says what is wrong in a `defs.yaml` that Dagster refuses: which line, and which known word is nearest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dataops_platform
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.strict import StrictModel, validate
from dataops_platform.kit.yaml_file import read_yaml

CODE = "DP-R002"
_OURS = f"{dataops_platform.__name__}."


class DefsFile(StrictModel):
    """A `defs.yaml`, as Dagster reads it."""

    type: str
    attributes: dict[str, Any] | None = None
    requirements: Any = None
    post_processing: Any = None
    template_vars_module: str | None = None


def refuse_misspelt_defs(folder: Path) -> None:
    """Looks through the `defs.yaml` files below `folder` for the reason why Dagster does not load them.

    Values are held against the components as they stand, templates unresolved: ask only when loading has failed.
    Raises: UsedWrongly DP-R002 with `file:line:column` and the nearest known word.
    """
    for path in sorted(folder.rglob("defs.yaml")):
        if any(line.startswith("---") for line in path.read_text(errors="replace").splitlines()[1:]):
            continue  # several components in one file: Dagster's own words must do
        file = read_yaml(path, CODE, f"{path.parent.name}/{path.name}")
        name = validate(DefsFile, file, CODE).type
        if not name.startswith(_OURS):
            continue
        components = [known for known in dataops_platform.__all__ if known[0].isupper()]
        if name.removeprefix(_OURS) not in components:
            hint = did_you_mean(name.removeprefix(_OURS), components)
            raise UsedWrongly(CODE, f"{file.place(('type',))} names {name!r}, which is no component; {hint}")
        validate(getattr(dataops_platform, name.removeprefix(_OURS)), file.below("attributes"), CODE)
