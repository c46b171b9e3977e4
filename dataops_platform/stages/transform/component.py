"""The Dagster component of the transform stage."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from dataops_platform.settings.project import Project
from dataops_platform.stages.component import StageComponent
from dataops_platform.stages.contract_files import contract_of
from dataops_platform.stages.scaffold import scaffolder
from dataops_platform.stages.transform.graph import read_graph
from dataops_platform.stages.transform.run import TransformStep

EXAMPLE = """\
  folder: dbt                        # the dbt project; its profile is written for it from dataops.yaml
"""


@dg.scaffold_with(scaffolder(EXAMPLE))
class TransformComponent(StageComponent):
    """Build marts with dbt: tested, checked against their contracts, and committed together or not at all."""

    folder: str = "dbt"
    """The folder of the dbt project; its profile is generated."""

    def steps(self, project: Project) -> Sequence[TransformStep]:
        """Return one step for the dbt project. A model `m` is checked against `contracts/m.odcs.yaml` if it exists."""
        folder = project.file(self.folder)
        graph = read_graph(project, folder)
        found = {model.name: contract_of(project, model.name) for model in graph.models}
        contracts = {name: contract for name, contract in found.items() if contract is not None}
        return [TransformStep(project=project, folder=folder, graph=graph, contracts=contracts)]
