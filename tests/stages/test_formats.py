"""A step is made again when its stage makes other results, not when the package has another version."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dataops_platform.kit import version
from dataops_platform.stages.step import STAGES

STEPS = {
    "extract": "ExtractStep",
    "clean": "CleanStep",
    "transform": "TransformStep",
    "train": "TrainStep",
    "score": "ScoreStep",
    "publish": "PublishStep",
}


def test_every_stage_is_listed_here() -> None:
    assert set(STEPS) == set(STAGES)


@pytest.mark.parametrize("stage", STEPS)
def test_the_format_of_a_stage_decides_its_steps_and_the_version_of_the_package_does_not(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = import_module(f"dataops_platform.stages.{stage}.run")
    step = SimpleNamespace(stage=stage, function="json:dumps", graph=SimpleNamespace(digest="sha256:0"))
    code = getattr(module, STEPS[stage]).code.fget
    first = code(step)
    monkeypatch.setattr(version, "VERSION", "9.9.9")
    assert not hasattr(module, "VERSION")
    assert code(step) == first
    monkeypatch.setattr(module, "FORMAT", module.FORMAT + 1)
    assert code(step) != first


def test_an_upgrade_makes_again_just_the_stage_whose_format_changed(
    published: Path, dataops: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataops_platform.stages.clean import run as clean

    monkeypatch.setattr(version, "VERSION", "9.9.9")
    monkeypatch.setattr(clean, "FORMAT", clean.FORMAT + 1)
    said = dataops("run")
    assert said.exit_code == 0
    made = {line.split()[1]: line.split()[-1] for line in said.out.splitlines() if line.startswith(tuple(STEPS))}
    assert {name for name, how in made.items() if how != "unchanged"} == {"orders", "customers"}
