"""Versions of models that nothing needs are deleted; not those that somebody holds by a name, a tag or a copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.manifests.cut import cut_of
from dataops_platform.manifests.events import Publication
from dataops_platform.release.retention.garbage import collect, look
from dataops_platform.release.retention.policy import Retention
from dataops_platform.technologies.mlflow.registry import DIGEST_TAG
from dataops_platform.technologies.mlflow.tracking import open_tracking
from dataops_platform.technologies.mlflow.versions import REQUEST_TAG, all_versions
from tests.fixtures import lakes

pytestmark = pytest.mark.journey


@pytest.mark.filterwarnings("ignore")
def test_only_versions_that_nothing_needs_are_deleted(shop: Any, lake: Any) -> None:
    client = open_tracking(shop.project).client
    folder = Path(shop.project.root) / "files"

    def register(name: str, digest: str, files: str, **tags: str) -> str:
        (folder / files).mkdir(parents=True, exist_ok=True)
        (folder / files / "model.skops").write_text(digest)
        if name not in [model.name for model in client.search_registered_models()]:
            client.create_registered_model(name)
        own = {DIGEST_TAG: digest} if digest else {}
        made = client.create_model_version(name, source=(folder / files).as_uri(), tags={**own, **tags})
        return str(made.version)

    for number, digest in enumerate(("old", "shared", "shown"), 1):
        version = register("dev.shop.delay", digest, digest)
        made = replace(lakes.manifest("delay", digest, environment="dev"), kind="model")
        lake.record([made], version)
        shop.day(number)
        heads = lake.heads("dev")
        lake.switch("dev", cut_of(heads.values()), lake.state("dev"), Publication(actor="ann", run="run"))
    register("prod.shop.delay", "shared", "shared")
    client.set_registered_model_alias("prod.shop.delay", "champion", "1")
    for digest, tags in (("asked", {REQUEST_TAG: "promote:staging"}), ("", {}), ("candidate", {})):
        version = register("dev.shop.delay", digest, digest or "by-hand", **tags)
    client.set_registered_model_alias("dev.shop.delay", "candidate", version)
    register("dev.other.delay", "old", "other")
    shop.today = shop.today.replace(year=2031)

    retention = Retention(releases=1, days=0)
    found = look(shop.session(), retention)
    assert [(one.name, one.version, one.digest) for one in found.models] == [
        ("dev.shop.delay", "1", "old"),
        ("dev.shop.delay", "2", "shared"),
    ]
    assert collect(shop.session(), retention).models == found.models
    left = {(one.name, one.version) for one in all_versions(client)}
    assert left == {
        ("dev.shop.delay", "3"),
        ("dev.shop.delay", "4"),
        ("dev.shop.delay", "5"),
        ("dev.shop.delay", "6"),
        ("dev.other.delay", "1"),
        ("prod.shop.delay", "1"),
    }
    files = {path.parent.name for path in folder.rglob("model.skops")}
    assert files == {"shared", "shown", "asked", "by-hand", "candidate", "other"}, "a copy keeps the files it shares"
    assert look(shop.session(), retention).models == ()
