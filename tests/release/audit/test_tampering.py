"""Whoever writes to a ledger past the platform is found, and the first event that is not what it was is named."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

from dataops_platform.kit.errors import Refused, SystemFailed
from dataops_platform.kit.signatures import sign
from dataops_platform.manifests.events import Duplicate
from dataops_platform.release.audit.verify import refuse_faults, verify
from dataops_platform.release.audit.witnesses import signer
from dataops_platform.release.promotion.switch import resume, roll_back
from dataops_platform.warehouse.attach import LakeLocation
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.ledger import read_rows
from tests.fixtures.campaign import CAMPAIGN
from tests.fixtures.lakes import open_in
from tests.fixtures.shop import Shop
from tests.release.audit.tamper import tamperings

Opened = Callable[..., Any]
MAINTENANCE = (
    "call ducklake_flush_inlined_data('lake')",
    "call ducklake_merge_adjacent_files('lake')",
    "call ducklake_rewrite_data_files('lake', delete_threshold => 0)",
)


@pytest.fixture(scope="module")
def opened(engine: DuckDBPyConnection, extensions: Path) -> Opened:
    """Opens the lake in a folder in the one DuckDB of this session."""

    @contextmanager
    def open_folder(folder: Path, **options: Any) -> Iterator[Lake]:
        location = LakeLocation(f"sqlite:{folder}/lake.sqlite", f"{folder}/data", extensions, folder / "anchors")
        with open_in(engine, location, **options) as lake:
            yield lake

    return open_folder


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key without a passphrase."""
    path = tmp_path_factory.mktemp("keys") / "ledger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def history(opened: Opened, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake: prod has nine events, the last three are signed."""
    folder = tmp_path_factory.mktemp("history")
    with opened(folder) as lake:
        shop = Shop(lake, folder / "shop")
        shop.promote(shop.release(1))
        shop.build("prod", 11)
        shop.publish("prod")
        shop.publish("prod")
        shop.promote(shop.release(2))
        roll_back(shop.session())
        resume(shop.session())
    with opened(folder, sign=partial(sign, key)) as lake:
        shop = Shop(lake, folder / "shop")
        shop.write_code("number = 1")
        shop.build("prod", 12)
        shop.publish("prod")
        shop.publish("prod")
        shop.promote(shop.release(3))
        kinds = [event.kind for event in lake.events("prod")]
        assert kinds == (
            [
                "promotion",
                "publication",
                "duplicate",
                "promotion",
                "rollback",
                "resume",
                "publication",
                "duplicate",
                "promotion",
            ]
        )
    return folder


@pytest.fixture
def copied(history: Path, tmp_path: Path) -> Path:
    return copy(history, tmp_path / "copy")


def copy(history: Path, to: Path) -> Path:
    """A copy of the catalog and the anchors; the files of rows stay where they are."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(history, to, ignore=shutil.ignore_patterns("shop", "*.lock"))
    return to


@pytest.mark.parametrize("every", [20, pytest.param(1 if CAMPAIGN else 4, marks=pytest.mark.journey)])
def test_a_hundred_tamperings_are_found_and_the_first_bad_event_is_named(
    every: int, history: Path, tmp_path: Path, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    known = list(tamperings())
    assert len({one.name for one in known}) == len(known) >= 100
    wrong, tried = [], known[::every]
    for one in tried:
        folder = copy(history, tmp_path / "copy")
        if one.forgotten:
            shutil.rmtree(folder / "anchors")
        with opened(folder) as lake:
            one.do(lake)
            firsts = {found.environment: found.first for found in verify(lake) if found.first}
        environment, sequence = one.bad
        if environment not in firsts or firsts[environment].sequence != sequence:
            wrong.append((one.name, one.bad, [str(fault) for fault in firsts.values()]))
    with capsys.disabled():
        print(f"\n{len(tried)} tamperings, {len(tried) - len(wrong)} found with the first bad event named")
    assert wrong == []


def test_an_untouched_ledger_is_whole_also_after_maintenance(copied: Path, opened: Opened) -> None:
    with opened(copied) as lake:
        for statement in ("select 1", *MAINTENANCE):
            lake.connection.execute(statement)
            found = {one.environment: one for one in verify(lake)}
            assert {name: one.faults for name, one in found.items()} == {"dev": (), "prod": ()}
        assert [(one.events, one.anchored, one.signed) for one in found.values()] == [(6, 6, 2), (9, 9, 3)]
        refuse_faults(list(found.values()))
        assert [one.environment for one in verify(lake, "prod")] == ["prod"]


def test_the_refusal_names_the_first_bad_event_of_each_environment(copied: Path, opened: Opened) -> None:
    with opened(copied) as lake:
        lake.connection.execute(
            "update lake._dataops.ledger set body = replace(body, '\"actor\"', '\"Actor\"') where sequence in (2, 4)"
        )
        with pytest.raises(
            Refused,
            match=r"^DP-L042 The ledger fails verification: event 2 of dev: .* hash; event 2 of prod: its content",
        ) as caught:
            refuse_faults(verify(lake))
    assert caught.value.exit_code == 1


def test_a_ledger_replaced_by_another_does_not_match_what_the_registry_remembers(copied: Path, opened: Opened) -> None:
    from dataops_platform.warehouse.anchors import Anchor

    shutil.rmtree(copied / "anchors")
    with opened(copied) as lake:
        right = [Anchor("prod", 9, lake.state("prod").hash, "the registry")]
        assert verify(lake, "prod", lambda _: right)[0].faults == ()
        wrong = [Anchor("prod", 9, "sha256:0", "the registry")]
        (found,) = verify(lake, "prod", lambda _: wrong)
        assert str(found.first) == "event 9 of prod: it is another event than the one that the registry remembers"


def test_an_anchor_file_that_was_torn_by_a_power_cut_is_mended_and_one_that_was_scribbled_in_is_told(
    copied: Path, opened: Opened
) -> None:
    path = copied / "anchors" / "prod.jsonl"
    with path.open("a") as file:
        file.write('{"environment":"prod","ha')
    with opened(copied) as lake:
        assert [one.faults for one in verify(lake)] == [(), ()]
        lake.note("prod", Duplicate(actor="ann"))
        (found,) = verify(lake, "prod")
        assert "Line 10 of the anchor file prod.jsonl cannot be read" in str(found.first)


def test_an_anchor_that_cannot_be_written_is_told_before_anything_moves(copied: Path, opened: Opened) -> None:
    shutil.rmtree(copied / "anchors")
    (copied / "anchors").write_text("a file where the folder should be")
    with opened(copied) as lake:
        before, session = lake.state("prod"), Shop(lake, copied / "shop").session()
        for move in (lambda: roll_back(session), lambda: lake.note("prod", Duplicate(actor="ann"))):
            with pytest.raises(SystemFailed, match=r"^DP-L041 The anchor file prod\.jsonl cannot be written"):
                move()
        assert lake.state("prod") == before


def test_who_signed_the_head_is_said_and_that_nobody_did(copied: Path, opened: Opened, key: Path) -> None:
    signers = copied / "allowed_signers"
    with opened(copied) as lake:
        rows = read_rows(lake.connection, "prod")
        assert signer(rows[5], signers) == "unsigned"
        assert signer(rows[8], signers).startswith("signed by a key that allowed_signers does not have (SHA256:")
        signers.write_text(f"ann {key.with_suffix('.pub').read_text()}")
        assert signer(rows[8], signers).startswith("signed by ann (SHA256:")


def test_every_kind_of_tampering_is_there() -> None:
    count = Counter(one.name.partition(" ")[0] for one in tamperings())
    assert {
        "body",
        "hash",
        "deleted",
        "doubled",
        "moved",
        "rewritten",
        "cut",
        "head:",
        "release",
        "plan",
    } <= count.keys()
