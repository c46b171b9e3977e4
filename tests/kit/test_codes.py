"""The registry of codes and the places that raise them agree, and every message reads as a sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from dataops_platform.kit import errors
from dataops_platform.kit.codes import KINDS, ROOMS, ErrorCode, entry, known_codes
from dataops_platform.kit.errors import DataOpsError

BESIDE = {"where"}
"""What a raise site gives beside the fields of the texts."""


@dataclass(frozen=True)
class Site:
    """A call that makes an error: its place, its kind, and what it gives."""

    place: str
    kind: str
    call: ast.Call

    @property
    def code(self) -> str:
        """The code, which stands there as it is; empty when it does not."""
        first = self.call.args[0] if self.call.args else None
        return str(first.value) if isinstance(first, ast.Constant) else ""

    @property
    def fields(self) -> set[str | None]:
        """The names of the fields; None for a `**`."""
        return {keyword.arg for keyword in self.call.keywords} - BESIDE


BEGINS = r"[A-Z{]|--|(dataops|dbt|dg|git|pip|ssh-keygen|pyproject\.toml) "
"""How a sentence begins: with a capital letter, a field, an option or the name of a command."""


def classes_in(tree: ast.Module, known: Mapping[str, str]) -> dict[ast.ClassDef, str]:
    """The classes of errors that a module makes of those it knows, with their kind."""
    found: dict[ast.ClassDef, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            kinds = {**known, **{made.name: kind for made, kind in found.items()}}
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in kinds:
                    found[node] = kinds[base.id]
    return found


def codes_within(made: ast.ClassDef) -> list[ast.Call]:
    """Where a class names its code itself: `super().__init__("DP-…", …)`."""
    calls = [call for call in ast.walk(made) if isinstance(call, ast.Call)]
    return [call for call in calls if _is_super(call) and call.args and isinstance(call.args[0], ast.Constant)]


def sites_in(tree: ast.Module, place: str, known: Mapping[str, str]) -> Iterator[Site]:
    """Each call of an error's class that is given a code, and those within classes that name it themselves."""
    made = classes_in(tree, known)
    kinds = {**known, **{one.name: kind for one, kind in made.items()}}
    own = {one.name for one in made if codes_within(one)}
    for one, kind in made.items():
        yield from (Site(f"{place}:{call.lineno}", kind, call) for call in codes_within(one))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds.keys() - own:
            yield from (Site(f"{place}:{node.lineno}", kinds[node.func.id], call) for call in one_for_each_code(node))


def one_for_each_code(call: ast.Call) -> list[ast.Call]:
    """The call itself, or two for `"DP-…" if … else "DP-…"`."""
    if not call.args or not isinstance(call.args[0], ast.IfExp):
        return [call]
    codes = (call.args[0].body, call.args[0].orelse)
    return [ast.Call(call.func, [code, *call.args[1:]], call.keywords) for code in codes]


def _is_super(call: ast.Call) -> bool:
    return ast.unparse(call.func) == "super().__init__"


@cache
def all_sites() -> tuple[Site, ...]:
    """The sites of the whole package."""
    package = Path(errors.__file__).parents[1]
    texts = {path.relative_to(package).as_posix(): path.read_text() for path in package.rglob("*.py")}
    trees = {place: ast.parse(text) for place, text in texts.items() if "DP-" in text}
    known = {kind.__name__: kind.kind for kind in DataOpsError.__subclasses__() if kind.__module__ == errors.__name__}
    shared = [(one, kind) for tree in trees.values() for one, kind in classes_in(tree, known).items()]
    known |= {one.name: kind for one, kind in shared if not codes_within(one)}
    return tuple(site for place, tree in trees.items() for site in sites_in(tree, place, known))


def complaint(site: Site, known: Mapping[str, ErrorCode]) -> str:
    """What is wrong with a site; empty when it gives what the registry asks for."""
    if site.code not in known:
        return f"{site.place} {site.code or 'a code that is not written there'}: not in the registry"
    code = known[site.code]
    if site.kind != code.kind:
        return f"{site.place} {code.code} is {code.kind} in the registry, {site.kind} here"
    if site.fields != code.fields:
        return f"{site.place} {code.code}: fields {sorted(map(str, site.fields ^ code.fields))}"
    english = [text for keyword in site.call.keywords for text in _english(keyword.value)]
    return f"{site.place} {code.code}: {english} belongs into the registry" if english else ""


def _english(value: ast.expr) -> list[str]:
    """Words one after the other in a text that a site makes itself; what it calls, as `some`, is not looked into."""
    parts = value.values if isinstance(value, ast.JoinedStr | ast.BoolOp) else [value]
    texts = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
    return [text for text in texts if re.search(r"[a-z]{2,} [a-z]{2,}", text)]


def test_every_error_has_the_kind_and_the_fields_of_its_code() -> None:
    known = known_codes()
    assert len(all_sites()) > 250
    assert "\n".join(wrong for site in all_sites() if (wrong := complaint(site, known))) == ""


def test_every_code_is_raised_somewhere() -> None:
    raised = {site.code for site in all_sites()} | {errors.stopped().code}
    assert sorted(known_codes().keys() - raised) == []


def test_every_code_that_is_named_is_known(root: Path) -> None:
    files = [*(root / "dataops_platform").rglob("*.py"), *root.glob("*.md"), *(root / "docs").rglob("*.md")]
    named = {(code, file.name) for file in files for code in re.findall(r"DP-[A-Z]\d{3}", file.read_text())}
    assert sorted((code, name) for code, name in named if code not in known_codes()) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('Refused("DP-P021", environment=name)', ""),
        ('Refused("DP-P021", environment=name, where=place)', ""),
        ('Refused("DP-Z001", environment=name)', "DP-Z001: not in the registry"),
        ("Refused(code, environment=name)", "a code that is not written there: not in the registry"),
        ('UsedWrongly("DP-P021", environment=name)', "DP-P021 is refused in the registry, misused here"),
        ('Refused("DP-P021")', "DP-P021: fields ['environment']"),
        ('Refused("DP-P021", environment=name, more=1)', "DP-P021: fields ['more']"),
        ('Refused("DP-P021", **given)', "DP-P021: fields ['None', 'environment']"),
        ('Refused("DP-P021", environment=f"{name} or so it seems")', "DP-P021: [' or so it seems'] belongs into"),
        ('class Worse(Refused): ...\nWorse("DP-P021")', "DP-P021: fields ['environment']"),
        ('class Worse(Refused):\n def __init__(self): super().__init__("DP-P021")', "DP-P021: fields ['environment']"),
    ],
)
def test_what_a_site_gives_wrongly_is_found(source: str, said: str) -> None:
    sites = list(sites_in(ast.parse(source), "a.py", {"Refused": "refused", "UsedWrongly": "misused"}))
    assert len(sites) == 1
    assert said in complaint(sites[0], known_codes())
    assert bool(said) == bool(complaint(sites[0], known_codes()))


@pytest.mark.parametrize("code", known_codes().values(), ids=lambda code: code.code)
def test_every_message_reads_as_a_sentence_and_names_what_to_do(code: ErrorCode) -> None:
    assert re.fullmatch(r"DP-[A-Z]\d{3}", code.code)
    assert code.kind in KINDS
    assert set(code.example) == code.fields
    for text in (code.message, code.fix):
        assert re.match(BEGINS, text), text
        assert re.search(r"[a-z]{2,}", re.sub(r"{[^}]*}", "", text)), f"{text}: nothing but fields"
        assert text.strip().rstrip(".") == text, f"{text}: the full stop is added"
    filled = code.filled(code.example)
    assert not re.search(r"[{}]{2}|  | ,", filled.message + filled.where + filled.fix)


def test_codes_stand_in_order_in_the_file_of_their_letter() -> None:
    known = list(known_codes())
    assert {code[3] for code in known} == set(ROOMS)
    assert known == sorted(known)


def test_the_registry_is_read_when_a_message_is_asked_for_and_only_its_letter() -> None:
    import subprocess
    import sys

    script = (
        "import sys\nfrom dataops_platform.kit.codes import codes_of\nfrom dataops_platform.kit.errors import Refused\n"
        "error = Refused('DP-P021', environment='prod')\nassert codes_of.cache_info().currsize == 0\n"
        "assert 'yaml' not in sys.modules\nassert 'prod' in str(error)\nassert codes_of.cache_info().currsize == 1\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_code_says_its_exit_status_and_what_it_means_for_the_data() -> None:
    assert (entry("DP-P101").exit_code, entry("DP-L010").exit_code, entry("DP-X130").exit_code) == (1, 3, 130)
    assert entry("DP-P101").about == "settings and publications"
    assert "nothing is changed" in entry("DP-P101").meaning
    assert {kind.kind: kind.exit_code for kind in DataOpsError.__subclasses__()} == {
        name: kind.exit_code for name, kind in KINDS.items()
    }
