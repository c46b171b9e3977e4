"""The clean step and a user's function: each row that came in comes back, and a refused one is kept as it came in."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.clock import utc_now
from dataops_platform.kit.errors import Refused
from dataops_platform.manifests.manifest import WHOLE
from dataops_platform.settings.project import DataOpsYaml, Project
from dataops_platform.stages.clean.run import CleanStep
from dataops_platform.stages.step import Outcome, RunContext
from dataops_platform.warehouse.lake import Lake
from tests.fixtures import lakes
from tests.fixtures.lakes import ANN
from tests.fixtures.orders import PROJECTS

MODULE = "cleaning_of_the_tests"
FUNCTIONS = """\
import polars as pl
def strip(raw: pl.LazyFrame) -> pl.LazyFrame:
    return raw.with_columns(pl.col("name").str.strip_chars())
def lose(raw: pl.LazyFrame) -> pl.LazyFrame:
    return raw.head(2)
def double(raw: pl.LazyFrame) -> pl.LazyFrame:
    return pl.concat([raw, raw.head(1)])
def exchange(raw: pl.LazyFrame) -> pl.LazyFrame:
    return pl.concat([raw.head(2), raw.head(1)])
"""
RAW = """\
select *, 'data/customers.csv' as _dp_file
from (values ('ann', ' Ann', 2), ('bob', ' Bob', 3), ('ann', ' Anne', 4)) as t(customer, name, _dp_line)
"""


@pytest.fixture(autouse=True)
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions of a project, on the path."""
    (tmp_path / f"{MODULE}.py").write_text(FUNCTIONS)
    monkeypatch.syspath_prepend(str(tmp_path))


def clean(lake: Lake, folder: Path, function: str) -> Outcome:
    """Cleans three customers, of whom two share a key."""
    lakes.write(lake, "raw_customers", RAW)
    project = Project(folder, DataOpsYaml(project="shop", owner="team:shop"), "dev")
    contract = load_contract(PROJECTS / "orders" / "contracts" / "customers.odcs.yaml")
    step = CleanStep(project, "customers", "raw_customers", contract, f"{MODULE}:{function}", max_refused_share=1)
    (outcome,) = step.run(lake, RunContext("run", ANN, utc_now), [WHOLE])
    return outcome


def test_a_refused_row_is_kept_as_it_came_in_whatever_a_function_made_of_it(lake: Lake, tmp_path: Path) -> None:
    outcome = clean(lake, tmp_path, "strip")
    assert (outcome.rows_in, outcome.rows_audited, outcome.rows_refused) == (3, 1, 2)
    kept = lake.connection.execute("select _dp_line, rules, raw from lake.dev__build.customers__quarantine order by 1")
    assert kept.fetchall() == [
        (2, ["primary_key"], '{"customer":"ann","name":" Ann"}'),
        (4, ["primary_key"], '{"customer":"ann","name":" Anne"}'),
    ]
    good = lake.connection.execute("select customer, name from lake.dev__build.customers")
    assert good.fetchall() == [("bob", "Bob")]


@pytest.mark.parametrize("function", ["lose", "double", "exchange"])
def test_a_function_that_loses_or_doubles_a_row_is_refused_and_nothing_is_written(
    lake: Lake, tmp_path: Path, function: str
) -> None:
    with pytest.raises(Refused, match=f"^DP-S004 .*{MODULE}:{function}"):
        clean(lake, tmp_path, function)
    assert lake.heads("dev").keys() == {"raw_customers"}
