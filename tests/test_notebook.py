"""What a notebook reads is what is shown, then or now, and the same sample each time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import dataops_platform as dp
from dataops_platform.kit.errors import Refused, UsedWrongly
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse import expiry
from dataops_platform.warehouse.open import lake_of

pytestmark = pytest.mark.journey


def test_it_reads_what_is_shown_then_and_now(published: Path, dataops_in: Callable[..., Any]) -> None:
    before = dp.read("dev.orders", project=published)
    then = datetime.now(UTC).isoformat()
    orders = published / "data" / "orders.csv"
    orders.write_text(orders.read_text().replace("12.25", "99.00"))
    assert dataops_in(published)("run").exit_code == 0
    now = dp.read("dev.orders", project=published)
    assert 99.0 in now["amount"].to_list()
    assert 99.0 not in before["amount"].to_list()
    assert not [name for name in now.columns if name.startswith("_dp_")]
    assert dp.read("dev.orders", at=then, project=published).sort("order").equals(before.sort("order"))
    with lake_of(load_project(published)) as lake:
        version = lake.heads("dev")["orders"].version
        kept = lake.connection.execute(
            "select distinct coalesce(version, snapshot_id::varchar) from lake._dataops.heads where name = 'orders'"
        )
        expiry.expire(lake.connection, [int(v) for (v,) in kept.fetchall() if v != version])
    with pytest.raises(Refused, match="DP-Q007"):
        dp.read("dev.orders", at=then, project=published)


def test_a_sample_depends_on_content_and_seed_alone(published: Path) -> None:
    first = dp.read("dev.orders", rows=3, seed=7, project=published)
    assert first.shape[0] == 3
    assert first.equals(dp.read("dev.orders", rows=3, seed=7, project=published))
    others = [dp.read("dev.orders", rows=3, seed=seed, project=published) for seed in range(1, 6)]
    assert any(not other.equals(first) for other in others)


def test_the_dataset_names_version_sample_and_content(published: Path) -> None:
    whole, sample = (dp.dataset("dev.orders", project=published), dp.dataset("dev.orders", rows=2, project=published))
    with lake_of(load_project(published), read_only=True) as lake:
        head = lake.heads("dev")["orders"]
    assert whole.name == f"dev.orders@{head.version}"
    assert sample.name == f"dev.orders@{head.version}-2-0"
    assert sample.digest == f"{whole.digest}-2-0"
    assert str(head.digest).rpartition(":")[2].startswith(whole.digest)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"table": "dev.order"}, r"DP-Q005 .*did you mean 'orders'"),
        ({"table": "orders"}, "DP-Q009 .*ENVIRONMENT.TABLE"),
        ({"table": "dev.orders; drop"}, "DP-Q005"),
        ({"table": "dev.orders", "rows": 0}, "DP-Q006"),
        ({"table": "dev.orders", "at": "2020-01-01"}, "DP-L016"),
        ({"table": "dev.orders", "at": "yesterday"}, "DP-L065"),
        ({"table": "nowhere.orders"}, "DP-P004"),
    ],
)
def test_what_cannot_be_read_is_named(published: Path, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsedWrongly, match=said):
        dp.read(**arguments, project=published)
