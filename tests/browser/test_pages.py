"""What people see in their browser: Dagster's pages of a project that `dataops up` serves, and the board."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.fixtures.terminal import command

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Shop

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]  # one browser, one project, its servers

PATIENCE_MS = 60_000
STAGES = ("extract", "clean", "transform", "train", "score", "publish", "release")
Picture = Callable[[str], None]


def test_the_lineage_page_draws_the_stages_from_left_to_right(shop: Shop, page: Page, picture: Picture) -> None:
    page.goto(f"{shop.dagster}/asset-groups")
    boxes = []
    for stage in STAGES:
        drawn = page.locator("foreignObject").get_by_text(stage, exact=True).first
        drawn.wait_for()
        box = drawn.bounding_box()
        assert box
        boxes.append(box["x"])
    picture("lineage")
    order = [boxes[STAGES.index(stage)] for stage in ("extract", "clean", "transform", "train", "score", "publish")]
    assert order == sorted(order)


def test_the_page_of_a_table_tells_what_it_must_be_and_which_rows_were_refused(
    shop: Shop, page: Page, picture: Picture
) -> None:
    page.goto(shop.asset("dev", "orders"))
    page.get_by_text("Euros for one piece.").wait_for()
    for said in ("Every order of the shop, and whether it was returned.", "minimum 1", "non-nullable", "rows_refused"):
        assert page.get_by_text(said).first.is_visible(), said
    refused = page.locator("tr", has=page.get_by_text("refused_rows", exact=True)).last
    refused.scroll_into_view_if_needed()
    picture("table")
    assert re.search(r"customer_id:relationship\s+.*c9", refused.inner_text()), refused.inner_text()


def test_the_page_of_a_model_has_its_scores_and_pictures(shop: Shop, page: Page, picture: Picture) -> None:
    page.goto(shop.asset("dev", "returns"))
    scores = page.locator("tr", has=page.get_by_text("scores", exact=True)).last
    assert re.search(r"model\s+0\.\d+", scores.inner_text())
    for name in ("calibration", "roc"):
        row = page.locator("tr", has=page.get_by_text(name, exact=True)).last
        row.get_by_text("Show Markdown").click()
        drawn = page.get_by_role("dialog").locator("img")
        drawn.wait_for()
        width = drawn.evaluate("image => image.complete ? image.naturalWidth : 0")
        assert width > 100
        picture(f"model_{name}")
        page.keyboard.press("Escape")
        drawn.wait_for(state="detached")


def test_the_history_of_a_check_has_the_day_it_was_red(shop: Shop, page: Page, picture: Picture) -> None:
    page.goto(shop.asset("dev", "orders", "checks"))
    page.get_by_text("Execution history").click()
    red = page.locator("tr", has=page.get_by_text("Failed", exact=True))
    red.first.wait_for()
    picture("check_history")
    assert red.count() == 1
    assert re.search(r"DP-C012 \d+ of \d+ rows for orders 2025-\d\d-01 are refused", red.inner_text())
    assert page.locator("tr", has=page.get_by_text("Passed", exact=True)).count() == 2


def test_a_plan_is_made_and_read_on_the_page_of_a_release(shop: Shop, page: Page, picture: Picture) -> None:
    page.goto(shop.asset("prod", "release"))
    kind = page.locator("tr", has=page.get_by_text("kind", exact=True)).first
    for _ in range(18):  # sensors look once a minute, and a page that is open need not show what they found
        page.wait_for_timeout(10_000)
        if kind.is_visible():
            break
        page.reload()
    assert kind.inner_text().split()[-1] == "promotion", "made on the command line, told by the sensor"
    picture("release")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("plan_passes").wait_for()
    picture("release_planned")
    row = page.locator("tr", has=page.get_by_text("plan", exact=True)).last
    row.get_by_text("Show Markdown").click()
    plan = page.get_by_role("dialog")
    plan.get_by_text("approval").first.wait_for()
    picture("plan")
    said = plan.inner_text()
    assert re.search(r"approval\s+fail\s+0 of 1 by role:release-manager", said), said
    assert re.search(r"changed\s+order_id o3300\s+orders\s+quantity 1 → 77", said), said


def test_mlflow_has_the_models_of_all_environments(shop: Shop, page: Page, picture: Picture) -> None:
    page.goto(f"{shop.mlflow}/#/models")
    for environment in ("dev", "staging", "prod"):
        page.get_by_text(f"{environment}.my_shop.returns").first.wait_for()
    picture("models")


def test_the_board_is_one_page_that_asks_for_nothing(shop: Shop, page: Page, picture: Picture) -> None:
    board = shop.folder / "board.html"
    assert command(shop.folder, "dataops", "status", "--html", str(board)).exit_code == 0
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(board.as_uri())
    picture("board")
    assert asked == [board.as_uri()]
    said = page.inner_text("body")
    assert [stage for stage in STAGES if stage.upper() in said] == list(STAGES)
    assert re.search(r"orders\nSUCCEEDED \d+ (S|MIN) AGO\n2 409 rows · 27 refused", said), said
    assert re.search(r"prod/release\nAWAITING approval by release-manager of plan \w{12}", said), said
