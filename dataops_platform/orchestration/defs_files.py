"""`defs.yaml` files, read without Dagster: mistakes in one that Dagster refuses, and the dbt projects they name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.public_names import COMPONENTS
from dataops_platform.kit.validation import StrictModel, validate
from dataops_platform.kit.yaml_file import read_yaml
from dataops_platform.settings.project import Project

_OURS = "dataops_platform."


class DefsFile(StrictModel):
    """The content of a `defs.yaml`."""

    type: str
    attributes: dict[str, Any] | None = None
    requirements: Any = None
    post_processing: Any = None
    template_vars_module: str | None = None


def refuse_misspelt_defs(folder: Path) -> None:
    """Refuse the first mistake in the `defs.yaml` files below `folder`. Call it only when Dagster could not load them.

    Values are compared with the components while templates are unresolved, so that a file which Dagster loads may be
    refused.
    Raises: UsedWrongly with `file:line:column` and the nearest known word; DP-R019 for a type that is no component.
    """
    for path in sorted(folder.rglob("defs.yaml")):
        if any(line.startswith("---") for line in path.read_text(errors="replace").splitlines()[1:]):
            continue  # several components in one file: Dagster's own message must do
        file = read_yaml(path, f"{path.parent.name}/{path.name}")
        name = validate(DefsFile, file).type
        if not name.startswith(_OURS):
            continue
        component = name.removeprefix(_OURS)
        if component not in COMPONENTS:
            hint = did_you_mean(component, COMPONENTS)
            raise UsedWrongly("DP-R019", place=file.place(("type",)), name=name, hint=hint)
        validate(resolve_name(COMPONENTS[component]), file.below("attributes"))


def dbt_folders(project: Project) -> list[Path]:
    """Return the dbt projects that a project's `Transform` components name as plain text, in the order of their files.

    Raises: UsedWrongly DP-R024 for a file that is no YAML, DP-P005 for a folder that does not exist.
    """
    found = [project.file(name) for path in sorted((project.root / "src").rglob("defs.yaml")) for name in _named(path)]
    return list(dict.fromkeys(found))


def _named(path: Path) -> Iterator[str]:
    import yaml

    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsedWrongly("DP-R024", file=f"{path.parent.name}/{path.name}") from error
    for document in documents:
        if isinstance(document, dict) and document.get("type") == f"{_OURS}Transform":
            given = (document.get("attributes") or {}).get("folder", "dbt")
            if isinstance(given, str) and "{{" not in given:
                yield given
