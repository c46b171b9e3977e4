"""Manifests made by hand: what a step made, from what."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from dataops_platform.manifests.manifest import Head, InputRef, Manifest, StepIdentity


@pytest.fixture
def manifest() -> Callable[..., Manifest]:
    """`manifest("marts", inputs=[…], rows=3, content=7, partition="2024-01-01")`: one audited result."""

    def made(
        name: str = "orders",
        *,
        inputs: Sequence[InputRef] = (),
        rows: int = 3,
        content: int = 1,
        partition: str = "",
        run_id: str = "run-1",
        contract: str = "contract-1",
    ) -> Manifest:
        return Manifest(
            environment="dev",
            stage="clean",
            name=name,
            kind="table",
            partition=partition,
            run_id=run_id,
            step=StepIdentity("code-1", "config-1", contract, tuple(inputs)),
            digest=f"dp1:{rows}:{content:032x}",
            rows_in=rows + 1,
            rows_audited=rows,
            rows_refused=1,
            recorded_at="2024-01-01T00:00:00+00:00",
        )

    return made


@pytest.fixture
def head() -> Callable[..., Head]:
    """`head(manifest, …, version="3")`: the head these manifests make."""

    def made(*manifests: Manifest, version: str = "1") -> Head:
        return Head(manifests[0].name, manifests[0].kind, version, manifests)

    return made
