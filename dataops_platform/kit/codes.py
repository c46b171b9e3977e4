"""The codes of all messages, read from the places in this package that say them: the two cannot differ."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from dataops_platform.kit import errors
from dataops_platform.kit.errors import DataOpsError, UsedWrongly, did_you_mean

CODE = re.compile(r"DP-[A-Z]\d{3}")

KINDS = {
    errors.Refused: "a contract, a gate or a rule said no; nothing was changed",
    errors.UsedWrongly: "a file, an option or a name cannot be used as it is; nothing was changed",
    errors.LostRace: "somebody else was first; what they did stands, and yours can be tried again",
    errors.Stopped: "you stopped it; what was committed stays, and nothing is half published",
    errors.SystemFailed: "something outside the project failed; what consumers see is as it was",
}
"""What each kind of error means for the data."""

ROOMS = {
    "C": "contracts",
    "D": "dbt",
    "E": "files that are read in",
    "G": "gates and approvals",
    "L": "the ledger, releases and what they keep",
    "M": "models and their registry",
    "N": "new projects",
    "P": "the project's settings, publications",
    "Q": "questions in SQL",
    "R": "runs and the code they run",
    "S": "your functions",
    "T": "training",
    "W": "the lake",
    "X": "the platform itself",
}
"""What codes of each letter are about."""

TOLD_ELSEWHERE = {
    "DP-C001": ("the contract cannot be read as YAML: <line and column>", "correct the line"),
    "DP-C012": ("the table does not hold its contract: <rules and their counts>", "correct the data, or the contract"),
    "DP-C021": ("the decisions about refused rows cannot be read: <line and column>", "correct the line"),
    "DP-M018": ("the model could not be scored: <what its run said>", "look at the run"),
    "DP-N001": ("<question>: this cannot be the answer: <why>", "give another"),
    "DP-P002": ("dataops.yaml cannot be read: <line, column and the nearest known word>", "correct the line"),
}
"""What codes say that are only passed on where they are raised."""


@dataclass(frozen=True)
class Said:
    """One way a code is told; what stands as … or in <> is filled in.

    `fix` is what to do, `where` the module that says it.
    """

    what: str
    fix: str
    where: str


@dataclass(frozen=True)
class Code:
    """A code, the kind of error it is, what it is about, and each way it is told."""

    code: str
    kind: type[DataOpsError]
    told: tuple[Said, ...]

    @property
    def about(self) -> str:
        """What codes of this letter are about."""
        return ROOMS[self.code[3]]

    @property
    def meaning(self) -> str:
        """What this kind of error means for the data."""
        return KINDS[self.kind]


def known_codes() -> dict[str, Code]:
    """All codes, in order. Parses this package's source: about half a second."""
    package = Path(str(files("dataops_platform")))
    found: dict[str, tuple[type[DataOpsError], list[Said]]] = {}
    for path in sorted(package.rglob("*.py")):
        if "project_template" in path.parts:
            continue
        for code, kind, said in _said_in(ast.parse(path.read_text()), path.relative_to(package).as_posix()):
            known = found.setdefault(code, (kind, []))
            if (_tells(said.what) or said.fix) and said not in known[1]:
                known[1].append(said)
    for code, (what, fix) in TOLD_ELSEWHERE.items():
        found[code][1].append(Said(what, fix, ""))
    return {code: Code(code, kind, tuple(said)) for code, (kind, said) in sorted(found.items())}


def explained(code: str) -> Code:
    """What is known of a code. Raises: UsedWrongly DP-X002 for one that nothing says."""
    known = known_codes()
    asked = code.strip().upper()
    if asked not in known:
        raise UsedWrongly("DP-X002", f"no message has the code {code!r}; {did_you_mean(asked, known)}")
    return known[asked]


def _said_in(tree: ast.Module, where: str) -> Iterator[tuple[str, type[DataOpsError], Said]]:
    kinds = _kinds_of(tree)
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    within = {
        call: kinds[made.name]
        for made in tree.body
        if isinstance(made, ast.ClassDef) and made.name in kinds
        for call in ast.walk(made)
        if isinstance(call, ast.Call)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = [constants.get(a.id, a) if isinstance(a, ast.Name) else a for a in node.args]
        codes = [(i, a.value) for i, a in enumerate(given) if isinstance(a, ast.Constant) and _is_code(a.value)]
        if not codes:
            continue
        position, code = codes[0]
        kind = kinds.get(node.func.id) if isinstance(node.func, ast.Name) else within.get(node)
        words = {keyword.arg: _text(keyword.value) for keyword in node.keywords}
        words["fix"] = words.get("fix", "") if _tells(words.get("fix", "")) else ""
        what = _text(given[position + 1]) if kind and len(given) > position + 1 else words.get("what", "")
        yield str(code), kind or errors.UsedWrongly, Said(what, words.get("fix", ""), where)


def _kinds_of(tree: ast.Module) -> dict[str, type[DataOpsError]]:
    """The names of errors in a module: those of the kit, and classes made of them here."""
    kinds: dict[str, type[DataOpsError]] = {kind.__name__: kind for kind in KINDS}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in kinds:
                    kinds[node.name] = kinds[base.id]
    return kinds


def _tells(text: str) -> bool:
    """Whether a text says anything but what is filled in."""
    return bool(re.search(r"\w", re.sub(r"<[^>]*>|…", "", text)))


def _is_code(value: object) -> bool:
    return isinstance(value, str) and bool(CODE.fullmatch(value))


def _text(node: ast.expr) -> str:
    """The words of a text, with … or a name in <> for what is filled in."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return re.sub(r"(… ?)+…", "…", "".join(_text(part) for part in node.values))
    if isinstance(node, ast.FormattedValue):
        return _text(node.value)
    if isinstance(node, ast.Name | ast.Attribute):
        return f"<{node.id if isinstance(node, ast.Name) else node.attr}>".replace("_", " ")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body)} / {_text(node.orelse)}"
    return "…"
