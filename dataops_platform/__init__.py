"""Releases of code, data, models and contracts on Dagster: nothing is published unless its contract holds.

Importing this loads nothing heavy; the public names load on use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.version import VERSION as __version__

if TYPE_CHECKING:
    from dataops_platform.notebook import dataset, read
    from dataops_platform.release.component import Release
    from dataops_platform.stages.clean.component import Clean
    from dataops_platform.stages.contract.component import Contract, with_contract
    from dataops_platform.stages.extract.component import Extract
    from dataops_platform.stages.publish.component import Publish
    from dataops_platform.stages.score.component import Score
    from dataops_platform.stages.train.component import Train
    from dataops_platform.stages.transform.component import Transform

__all__ = [
    "Clean",
    "Contract",
    "Extract",
    "Publish",
    "Release",
    "Score",
    "Train",
    "Transform",
    "__version__",
    "dataset",
    "read",
    "with_contract",
]

_HOME = {name: f"dataops_platform.stages.{name.lower()}.component" for name in __all__ if name[0].isupper()}
_HOME["Release"] = "dataops_platform.release.component"
_HOME["with_contract"] = _HOME["Contract"]
_HOME["read"] = _HOME["dataset"] = "dataops_platform.notebook"


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
