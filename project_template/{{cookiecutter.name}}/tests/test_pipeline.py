"""The pipeline from files to publication, and the gate that keeps a worse model out."""

from __future__ import annotations

from typing import Any

REFUSED = {"raw_customers": 0, "raw_orders": 0, "customers": 2, "orders": 27}


def test_every_row_is_published_or_refused(first_run: Any) -> None:
    refused = {
        table["table"]: table["refused"] for table in first_run["tables"] if table["stage"] in ("extract", "clean")
    }
    assert refused == REFUSED
    for table in first_run["tables"]:
        assert table["rows_in"] == table["audited"] + table["refused"], table


def test_the_model_is_better_than_knowing_the_product(first_run: Any) -> None:
    scores = {score["name"]: score["auc"] for score in first_run["models"][0]["scores"]}
    assert scores["model"] > scores["product"] > scores["constant"]


def test_a_worse_model_is_not_promoted(copy: Any, first_run: Any) -> None:
    copy.dataops("release", "build")
    copy.dataops("promote", "--to", "staging")
    (model,) = copy.folder.glob("src/*/returns.py")
    model.write_text(model.read_text().replace("LogisticRegression(max_iter=1000)", "LogisticRegression(C=1e-9)"))
    copy.commit()
    copy.dataops("run")
    copy.dataops("release", "build")
    refused = copy.dataops("promote", "--to", "staging", expect=1)
    assert "model_not_worse" in str(refused)
