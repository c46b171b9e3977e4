"""The names that `import dataops_platform` offers, and what each of them loads on use, as `module:name`."""

from __future__ import annotations

COMPONENTS = {
    "Clean": "dataops_platform.stages.clean.component:CleanComponent",
    "Contract": "dataops_platform.stages.contract.component:ContractComponent",
    "Extract": "dataops_platform.stages.extract.component:ExtractComponent",
    "Publish": "dataops_platform.stages.publish.component:PublishComponent",
    "Release": "dataops_platform.release.component:ReleaseComponent",
    "Score": "dataops_platform.stages.score.component:ScoreComponent",
    "Train": "dataops_platform.stages.train.component:TrainComponent",
    "Transform": "dataops_platform.stages.transform.component:TransformComponent",
}
"""The components that a `defs.yaml` can name: `type: dataops_platform.Clean`."""

PUBLIC = {
    **COMPONENTS,
    "LakeResource": "dataops_platform.orchestration.resource:LakeResource",
    "MlflowResource": "dataops_platform.orchestration.resource:MlflowResource",
    "dataset": "dataops_platform.notebook:dataset",
    "read": "dataops_platform.notebook:read",
    "with_contract": "dataops_platform.stages.contract.component:with_contract",
}
"""Every public name."""
