"""The names that `import dataops_platform` offers, and the modules they load from on use."""

from __future__ import annotations

COMPONENTS = {
    "Clean": "dataops_platform.stages.clean.component",
    "Contract": "dataops_platform.stages.contract.component",
    "Extract": "dataops_platform.stages.extract.component",
    "Publish": "dataops_platform.stages.publish.component",
    "Release": "dataops_platform.release.component",
    "Score": "dataops_platform.stages.score.component",
    "Train": "dataops_platform.stages.train.component",
    "Transform": "dataops_platform.stages.transform.component",
}
"""The components that a `defs.yaml` can name: `type: dataops_platform.Clean`."""

PUBLIC = {
    **COMPONENTS,
    "LakeResource": "dataops_platform.orchestration.resource",
    "MlflowResource": "dataops_platform.orchestration.resource",
    "dataset": "dataops_platform.notebook",
    "read": "dataops_platform.notebook",
    "with_contract": "dataops_platform.stages.contract.component",
}
"""Every public name."""
