"""`docs`: the reference is what the code says, pages lead somewhere, pictures are small and hold together."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from docs import reference

PAGES = ("docs/*.md", "docs/concepts/*.md", "docs/howto/*.md", "docs/reference/*.md")


def leads(page: Path) -> list[tuple[str, Path]]:
    """Each link of a page to a file, and the file."""
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    return [(link, page.parent / link) for link in links]


def test_the_reference_is_what_the_code_says(root: Path) -> None:
    written = {path.name: path.read_text() for path in (root / "docs" / "reference").glob("*.md")}
    made = reference.pages()
    assert sorted(written) == sorted(made)
    for name, text in made.items():
        assert written[name] == text, f"docs/reference/{name} is not what the code says: make docs"


def test_the_index_leads_to_every_page_and_every_link_to_a_file(root: Path) -> None:
    pages = [page for pattern in PAGES for page in root.glob(pattern)]
    lost = [f"{page.relative_to(root)}: {link}" for page in pages for link, file in leads(page) if not file.exists()]
    assert lost == []
    index = root / "docs" / "README.md"
    assert {page.resolve() for page in pages} == {
        index,
        *(file.resolve() for _, file in leads(index) if file.is_file()),
    }


def test_the_tests_that_the_promises_name_are_there(root: Path) -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", (root / "docs" / "concepts" / "promises.md").read_text())
    assert named
    assert [name for name in named if not (root / name).exists()] == []


def test_pictures_are_small_and_have_their_words_as_text(root: Path) -> None:
    pictures = [*(root / "docs" / "concepts").glob("*.svg")]
    assert len(pictures) == 3
    for picture in pictures:
        tree = ElementTree.parse(picture)
        assert picture.stat().st_size < 10_000
        assert tree.findall("{http://www.w3.org/2000/svg}text")
        assert tree.findtext("{http://www.w3.org/2000/svg}title")
