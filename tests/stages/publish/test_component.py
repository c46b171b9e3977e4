"""The publication as a Dagster asset."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dataops_platform.kit.actor import ACTOR_TAG, Actor
from dataops_platform.settings.project import load_project
from dataops_platform.stages.component import asset_of
from dataops_platform.stages.publish.run import PublishStep
from dataops_platform.warehouse.open import lake_of


@pytest.mark.usefixtures("quiet")
def test_whoever_the_tag_of_a_run_names_is_declared_to_publish(published: Path) -> None:
    project = load_project(published)
    asset = asset_of(PublishStep(project, ("orders",), (), {}))
    assert dg.materialize([asset], tags={ACTOR_TAG: "bob"}).success
    with lake_of(project, read_only=True) as lake:
        event = lake.state("dev").event
    assert event is not None
    assert (event.kind, event.who) == ("publication", Actor("bob", "tag"))
    refused = dg.materialize([asset], tags={ACTOR_TAG: "role:manager"}, raise_on_error=False)
    assert not refused.success
