"""A manifest is written and read without loss, and any change in it changes its id."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.kit.digests import canonical_json, digest_of
from dataops_platform.manifests.manifest import Head, InputRef, Manifest, StepIdentity, Verdict

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
COUNT = st.integers(0, 2**62)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
REFS = st.builds(
    InputRef,
    TEXT,
    TEXT,
    TEXT,
    st.lists(TEXT, max_size=2).map(tuple),
    st.none() | TEXT,
    st.lists(TEXT, max_size=2).map(tuple),
)
STEPS = st.builds(StepIdentity, TEXT, TEXT, TEXT, st.lists(REFS, max_size=3).map(tuple))
MANIFESTS = st.builds(
    Manifest,
    environment=TEXT,
    stage=TEXT,
    name=TEXT,
    kind=st.sampled_from(["table", "model"]),
    partition=TEXT,
    run_id=TEXT,
    step=STEPS,
    digest=TEXT,
    rows_in=COUNT,
    rows_audited=COUNT,
    rows_refused=COUNT,
    recorded_at=TEXT,
    contract_version=TEXT,
    verdicts=st.lists(st.builds(Verdict, TEXT, st.sampled_from(["error", "warning"]), COUNT), max_size=3).map(tuple),
    details=st.dictionaries(TEXT, JSON, max_size=3),
)


@settings(max_examples=100, deadline=None, database=None)
@given(MANIFESTS)
def test_what_is_written_is_read_back_with_the_same_id(manifest: Manifest) -> None:
    found = Manifest.from_json(manifest.to_json())
    assert found == manifest
    assert (found.id, found.step.digest) == (manifest.id, manifest.step.digest)


FULL = Manifest(
    environment="dev",
    stage="clean",
    name="orders",
    kind="table",
    partition="2024-01-01",
    run_id="run-1",
    step=StepIdentity("code", "config", "contract", (InputRef("raw_orders", "d1", "2024-01-01", ("m1",)),)),
    digest="dp1:1:00000000000000000000000000000001",
    rows_in=3,
    rows_audited=2,
    rows_refused=1,
    recorded_at="2024-01-02T03:04:05+00:00",
    contract_version="1.0.0",
    verdicts=(Verdict("id:type", "error", 1),),
    details={"features": ["a", "b"]},
)
CHANGES: dict[str, Any] = {
    "environment": "prod",
    "stage": "extract",
    "name": "customers",
    "kind": "model",
    "partition": "",
    "run_id": "run-2",
    "digest": "dp1:1:00000000000000000000000000000002",
    "rows_in": 4,
    "rows_audited": 3,
    "rows_refused": 0,
    "recorded_at": "2024-01-02T03:04:06+00:00",
    "contract_version": "1.0.1",
    "verdicts": (Verdict("id:type", "error", 2),),
    "details": {"features": ["b", "a"]},
    "step": StepIdentity("code", "config", "contract", (InputRef("raw_orders", "d1", "2024-01-01", ("m2",)),)),
    "format": 2,
    "more": {"later": None},
}


def test_the_form_of_a_manifest_stays_what_it_is() -> None:
    assert FULL.to_json() == (
        '{"contract_version":"1.0.0","details":{"features":["a","b"]},"digest":"dp1:1:00000000000000000000000000000001",'
        '"environment":"dev","format":1,"kind":"table","name":"orders","partition":"2024-01-01",'
        '"recorded_at":"2024-01-02T03:04:05+00:00","rows_audited":2,"rows_in":3,"rows_refused":1,"run_id":"run-1",'
        '"stage":"clean","step":{"code":"code","config":"config","contract":"contract","inputs":[{"digest":"d1",'
        '"lineage":[],"manifests":["m1"],"name":"raw_orders","partition":"2024-01-01"}]},'
        '"verdicts":[{"failing_rows":1,"rule":"id:type","severity":"error"}]}'
    )


def test_what_a_later_version_adds_is_kept_and_counts_in_the_id() -> None:
    later = json.loads(FULL.to_json())
    later["step"]["inputs"][0]["span"] = ["a", "b"]
    later["verdicts"][0]["share"] = 0.5
    later["owner"] = "team:a"
    found = Manifest.from_json(canonical_json(later))
    assert found.to_json() == canonical_json(later)
    assert found.id == digest_of(later) != FULL.id
    assert found.step.digest == FULL.step.digest


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Manifest)])
def test_the_id_changes_with_any_field(field: str) -> None:
    assert dataclasses.replace(FULL, **{field: CHANGES[field]}).id != FULL.id


REF = InputRef("raw", "d1", "jan", ("m1",))
STEP = StepIdentity("code", "config", "contract", (REF, InputRef("airlines", "d2")))


@pytest.mark.parametrize(
    ("step", "same"),
    [
        (dataclasses.replace(STEP, inputs=STEP.inputs[::-1]), True),
        (dataclasses.replace(STEP, inputs=(dataclasses.replace(REF, manifests=("m2", "m3")), STEP.inputs[1])), True),
        (dataclasses.replace(STEP, code="x"), False),
        (dataclasses.replace(STEP, config="x"), False),
        (dataclasses.replace(STEP, contract="x"), False),
        (dataclasses.replace(STEP, inputs=STEP.inputs[:1]), False),
        (dataclasses.replace(STEP, inputs=(dataclasses.replace(REF, digest="x"), STEP.inputs[1])), False),
        (dataclasses.replace(STEP, inputs=(dataclasses.replace(REF, name="x"), STEP.inputs[1])), False),
        (dataclasses.replace(STEP, inputs=(dataclasses.replace(REF, partition="feb"), STEP.inputs[1])), False),
        (StepIdentity("config", "code", "contract", STEP.inputs), False),
    ],
)
def test_a_step_is_the_same_when_code_config_contract_and_contents_are(step: StepIdentity, same: bool) -> None:
    assert (step.digest == STEP.digest) is same


def test_the_digest_of_a_head_is_the_sum_over_its_partitions_in_any_order(
    manifest: Callable[..., Manifest], head: Callable[..., Head]
) -> None:
    january = manifest(partition="2024-01-01", rows=3, content=7)
    february = manifest(partition="2024-02-01", rows=4, content=2**64 + 1)
    assert head(january).digest == "dp1:3:00000000000000000000000000000007"
    assert head(january, february).digest == "dp1:7:00000000000000010000000000000008"
    assert head(february, january).digest == head(january, february).digest
    assert head(january, february, version="2").digest == head(january, february).digest


def test_the_digest_of_a_model_is_that_of_its_artefact(manifest: Callable[..., Manifest]) -> None:
    made = dataclasses.replace(manifest("delay"), kind="model", digest="sha256:ab")
    assert Head("delay", "model", "7", (made,)).digest == "sha256:ab"


def test_a_reader_records_the_partition_it_read_or_the_whole(
    manifest: Callable[..., Manifest], head: Callable[..., Head]
) -> None:
    january, february = manifest(partition="2024-01-01"), manifest(partition="2024-02-01", content=2)
    both = head(january, february)
    assert both.partitions == {"2024-01-01": january, "2024-02-01": february}
    assert both.ref("2024-02-01") == InputRef("orders", february.digest, "2024-02-01", (february.id,))
    assert both.ref() == InputRef("orders", both.digest, "", (january.id, february.id))
    with pytest.raises(KeyError, match="2024-03-01"):
        both.ref("2024-03-01")
