"""Events of every kind are read as they were written, by any version, and their hashes are over the stored text.

`frozen/` is a ledger as version 1 of the format wrote it (and three events that a later version may write) with the
hash of each line. These files only ever grow.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from dataops_platform.kit.actor import Actor
from dataops_platform.kit.digests import canonical_json
from dataops_platform.manifests.events import (
    KINDS,
    Creation,
    Event,
    Publication,
    Resume,
    Unknown,
    by,
    event_text,
    hash_of,
    read_event,
)

FROZEN = Path(__file__).parent / "frozen"
TEXTS = (FROZEN / "events.jsonl").read_text().splitlines()
HASHES = (FROZEN / "hashes.txt").read_text().split()


def test_every_kind_of_event_has_a_case_and_so_has_one_that_is_not_known() -> None:
    kinds = {type(read_event(text)) for text in TEXTS}
    assert kinds == {*KINDS.values(), Unknown}
    assert {json.loads(text)["kind"] for text in TEXTS} == {*KINDS, "grant", "publication_held"}
    assert all(record.kind == kind for kind, record in KINDS.items())


def test_every_field_of_a_kind_has_a_case() -> None:
    written: dict[type[Event], set[str]] = {}
    for text in TEXTS:
        written.setdefault(type(read_event(text)), set()).update(json.loads(text))
    for kind in KINDS.values():
        fields = {field.name for field in dataclasses.fields(kind)} - {"more"}
        assert fields <= written[kind], kind


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: json.loads(text)["kind"])
def test_a_text_is_read_and_written_again_byte_by_byte(text: str) -> None:
    assert event_text(read_event(text)) == text


def test_the_hashes_are_those_of_the_stored_texts_and_make_a_chain() -> None:
    assert [hash_of(text) for text in TEXTS] == HASHES
    events = [read_event(text) for text in TEXTS]
    assert [event.previous for event in events] == ["", *HASHES[:-1]]
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))


def test_a_hash_is_of_the_text_and_not_of_what_it_says() -> None:
    spaced = json.dumps(json.loads(TEXTS[0]), sort_keys=True)
    assert read_event(spaced) == read_event(TEXTS[0])
    assert hash_of(spaced) != hash_of(TEXTS[0])


def test_what_is_absent_is_not_made_up() -> None:
    made, published = (
        next(e for e in map(read_event, TEXTS[11:]) if isinstance(e, k)) for k in (Creation, Publication)
    )
    assert isinstance(made, Creation)
    assert isinstance(published, Publication)
    assert (made.origin, made.origin_event, published.run) == (None, None, None)
    assert not {"origin", "origin_event", "run"} & {*json.loads(event_text(made)), *json.loads(event_text(published))}


def test_the_source_of_an_actor_is_written_only_where_the_name_is_declared() -> None:
    ann, declared = Resume(**by(Actor("ann"))), Resume(**by(Actor("ann", "tag")))
    assert "actor_source" not in json.loads(event_text(ann))
    assert json.loads(event_text(declared))["actor_source"] == "tag"
    assert [read_event(event_text(event)).who for event in (ann, declared)] == [Actor("ann"), Actor("ann", "tag")]


def test_an_unknown_kind_keeps_all_that_it_says_and_moves_nothing() -> None:
    grant = next(event for event in map(read_event, TEXTS) if event.kind == "grant")
    assert isinstance(grant, Unknown)
    assert grant.more == {"to": "role:analyst", "table": "orders", "rights": ["select"], "until": None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sequence": "1"}, "'1' is no int"),
        ({"held": None}, "None is no bool"),
        ({"kind": None}, "None is no str"),
        ({"gates": [{"gate": "checks"}]}, "a key is missing: verdict"),
        ({"format": 2}, "it has format 2, and this version reads formats up to 1"),
    ],
)
def test_what_is_no_event_of_this_format_is_refused(change: dict[str, Any], said: str) -> None:
    promotion = json.loads(TEXTS[6])
    with pytest.raises(ValueError, match=said):
        read_event(canonical_json({**promotion, **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", '"kind"', "{}", '{"kind":"resume"}'])
def test_other_texts_are_no_events(text: str) -> None:
    with pytest.raises(ValueError, match=r"Expecting value|is no mapping|a key is missing"):
        read_event(text)
