"""The contracts of a project's tables: where they are, and how they are loaded."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from dataops_platform.contracts.contract import Contract
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.digests import digest_of
from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.user_code import code_digest
from dataops_platform.settings.project import Project


def contract_of(project: Project, name: str, given: str | None = None) -> Contract | None:
    """Return the contract of a table: the file `given`, else `contracts/<name>.odcs.yaml`. None when neither exists.

    Raises: UsedWrongly for a given file that is missing or for a file that is no contract, DP-C005 for the contract of
    another table.
    """
    default = project.root / "contracts" / f"{name}.odcs.yaml"
    if given is None and not default.exists():
        return None
    path = project.file(given) if given else default
    contract = with_code_of_checks(_loaded(path, path.stat().st_mtime_ns))
    if contract.table != name:
        raise UsedWrongly("DP-C005", contract=contract.path.name, found=contract.table, table=name)
    return contract


def with_code_of_checks(contract: Contract) -> Contract:
    """Return the contract with a digest that also covers the code of its Python checks."""
    checks = sorted(str(rule.argument) for rule in contract.rules if rule.kind == "python")
    return replace(contract, digest=digest_of([contract.digest, *map(code_digest, checks)])) if checks else contract


@lru_cache(maxsize=512)
def _loaded(path: Path, _changed_ns: int) -> Contract:
    return load_contract(path)


def required_contract(project: Project, name: str, given: str | None = None) -> Contract:
    """Return the contract of a table that must have one. Raises: UsedWrongly DP-C006 when it has none."""
    contract = contract_of(project, name, given)
    if contract is None:
        found = [p.name.removesuffix(".odcs.yaml") for p in (project.root / "contracts").glob("*.odcs.yaml")]
        raise UsedWrongly("DP-C006", table=name, hint=did_you_mean(name, found))
    return contract
