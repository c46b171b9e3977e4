"""The projects of the corpus: those of `tests/projects` with other files, in git where they are released."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import ROOT
from tests.fixtures.command_line import commit_all, git
from tests.fixtures.contract_head import contract_head

PROJECTS = ROOT / "tests" / "projects"
DEFS = "src/orders_project/defs"
ORDERS_FILE = "data/orders.csv"
ORDERS_CONTRACT = "contracts/orders.odcs.yaml"
CLEAN = """\
type: dataops_platform.Clean

attributes:
  tables:
    - {name: orders, input: raw_orders, null_values: [""], partitions: months, max_refused_share: 0.8}
"""
EXTRACT = """\
type: dataops_platform.Extract

attributes:
  tables:
    - {name: raw_orders, path: data/orders.csv, partitions: months, partition_columns: [day]}
"""
PUBLISH = """\
type: dataops_platform.Publish

attributes:
  tables: [orders]
"""
SETTINGS = """\
project: orders
owner: team:shop
partitions:
  months: {every: month, start: 2024-01-01, end: 2024-04-01}
"""
CONTRACT = (
    contract_head()
    + """\
      - {name: day, logicalType: date, required: true}
      - {name: order, logicalType: integer, primaryKey: true}
      - {name: customer, logicalType: string, required: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
"""
)


def marts_shop(folder: Path) -> Path:
    """Two raw files, two clean tables, one mart made by dbt, and a publication of the three tables."""
    return _copied("orders", folder, {})


def shop(folder: Path, settings: str = "") -> Path:
    """One file of orders by month, its clean table, and a publication; with more lines of `dataops.yaml`.

    It has a lock, or each release would look up all that is installed.
    """
    files = {"dataops.yaml": SETTINGS + settings, ORDERS_CONTRACT: CONTRACT, "uv.lock": ""}
    made = _copied("orders", folder, files)
    for unused in (f"{DEFS}/transform", "dbt"):
        shutil.rmtree(made / unused)
    for unused in ("contracts/customers.odcs.yaml", "contracts/monthly_sales.odcs.yaml", "data/customers.csv"):
        (made / unused).unlink()
    for stage, text in (("clean", CLEAN), ("extract", EXTRACT), ("publish", PUBLISH)):
        (made / DEFS / stage / "defs.yaml").write_text(text)
    return made


def guest(folder: Path, files: dict[str, str]) -> Path:
    """A team with an asset of 40 rows of its own; the clean table of it, a model and its predictions beside."""
    made = _copied("guest", folder, files)
    edit(made / "src/guest/definitions.py", "range(120)", "range(0, 120, 3)")
    return made


def in_git(project: Path) -> Path:
    """The project in a repository, committed."""
    (project / ".gitignore").write_text(".dataops/\n__pycache__/\ndata/\n")
    git(project, "init", "--quiet")
    commit_all(project, "First")
    return project


def edit(path: Path, old: str, new: str) -> None:
    """Replaces a text that is there."""
    text = path.read_text()
    assert old in text, f"{path} lacks {old!r}"
    path.write_text(text.replace(old, new))


def _copied(which: str, folder: Path, files: dict[str, str]) -> Path:
    shutil.copytree(PROJECTS / which, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder
