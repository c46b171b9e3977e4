"""Releases of code, data, models and contracts on Dagster: nothing is published unless its contract holds.

Importing this loads nothing heavy; the public names load on use.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from dataops_platform.kit.public_names import PUBLIC
from dataops_platform.kit.version import VERSION as __version__

if TYPE_CHECKING:
    from dataops_platform.notebook import dataset, read
    from dataops_platform.orchestration.resource import LakeResource, MlflowResource
    from dataops_platform.release.component import ReleaseComponent as Release
    from dataops_platform.stages.clean.component import CleanComponent as Clean
    from dataops_platform.stages.contract.component import ContractComponent as Contract
    from dataops_platform.stages.contract.component import with_contract
    from dataops_platform.stages.extract.component import ExtractComponent as Extract
    from dataops_platform.stages.publish.component import PublishComponent as Publish
    from dataops_platform.stages.score.component import ScoreComponent as Score
    from dataops_platform.stages.train.component import TrainComponent as Train
    from dataops_platform.stages.transform.component import TransformComponent as Transform

__all__ = [
    "Clean",
    "Contract",
    "Extract",
    "LakeResource",
    "MlflowResource",
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


def __getattr__(name: str) -> Any:
    if name in PUBLIC:
        return resolve_name(PUBLIC[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
