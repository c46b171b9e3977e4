"""Keeps the dbt properties of tables equal to their contracts, in all dbt projects of a project."""

from __future__ import annotations

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.orchestration.defs_files import dbt_folders
from dataops_platform.settings.project import Project
from dataops_platform.stages.transform.conflicts import ContractDrift
from dataops_platform.stages.transform.contract_file import ContractFile, contract_file, write_contract_file


def sync_contract_files(project: Project, *, check: bool = False) -> list[ContractFile]:
    """Write the contract file of each dbt project, unless `check` is set. Return the files as they were before.

    Raises: UsedWrongly DP-C030 when the project has no dbt project; what `contract_file` raises, before any is written.
    """
    files = [contract_file(project, folder) for folder in dbt_folders(project)]
    if not files:
        raise UsedWrongly("DP-C030", project=project.root.name)
    for file in files if not check else ():
        write_contract_file(file)
    return files


def dbt_conflicts(project: Project) -> list[ContractDrift]:
    """Return where dbt and the contracts disagree: generated files that are out of date, and contradictions by hand."""
    files = [contract_file(project, folder) for folder in dbt_folders(project)]
    return [one for f in files for one in (*(f.differences if f.found is not None else ()), *f.contradictions)]
