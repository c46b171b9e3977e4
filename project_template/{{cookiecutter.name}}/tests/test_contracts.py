"""Every rule of every contract lets valid rows pass and refuses invalid ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from dataops_platform.testing import assert_breaks, assert_holds, example_rows, rows_breaking, rules_of

CONTRACTS = Path(__file__).parent.parent / "contracts"
CUSTOMERS = {"customers": [{"customer_id": "c001"}, {"customer_id": "c002"}]}


@pytest.mark.parametrize("name", ["customers", "daily_sales", "order_features", "orders", "return_predictions"])
def test_every_rule_lets_good_rows_through_and_stops_bad_ones(name: str) -> None:
    file = CONTRACTS / f"{name}.odcs.yaml"
    references = CUSTOMERS if name == "orders" else None
    assert_holds(file, example_rows(file, 20, references=references), references=references)
    for rule in rules_of(file):
        assert_breaks(file, rows_breaking(file, rule, references=references), {rule}, references=references)
