"""YAML as configuration: no duplicate keys, no anchors, bounded size, and every value's place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_platform.kit.errors import UsedWrongly

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """Plain data of a YAML file and the (line, column), from 1, of each key and list item."""

    path: Path
    data: Any
    places: dict[Loc, tuple[int, int]] = field(repr=False)

    def place(self, loc: Loc) -> str:
        """`file:line:column` of a location; of its nearest known parent when it is not in the file."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        line, column = self.places.get(loc, (1, 1))
        return f"{self.path.name}:{line}:{column}"


def read_yaml(path: Path, code: str) -> YamlFile:
    """Reads one YAML document.

    Raises: UsedWrongly with `code` when the file is missing, too large or deep, is no UTF-8, is no YAML,
    or has a duplicate key, an anchor or an alias.
    """
    import yaml

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsedWrongly(code, f"cannot read {path.name}: {error.strerror}", fix=f"looked for {path}") from error
    if len(raw) > MAX_BYTES:
        raise UsedWrongly(code, f"{path.name} is {len(raw)} bytes; at most {MAX_BYTES} are read")
    try:
        text = raw.decode("utf-8-sig")
        _refuse_aliases_and_depth(yaml.parse(text, Loader=yaml.SafeLoader), path, code)
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            places: dict[Loc, tuple[int, int]] = {}
            if node is not None:
                _walk(node, (), places, path, code)
            data = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise UsedWrongly(code, f"{path.name} is not UTF-8 text (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path.name}:{mark.line + 1}:{mark.column + 1}" if mark else path.name
        raise UsedWrongly(code, f"{where} is not valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsedWrongly(code, f"{path.name} is not valid YAML: {str(error).splitlines()[0]}") from error
    return YamlFile(path, data, places)


def _refuse_aliases_and_depth(events: Iterator[Any], path: Path, code: str) -> None:
    import yaml

    depth = 0
    for event in events:
        where = f"{path.name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise UsedWrongly(code, f"{where} uses a YAML anchor or alias", fix="write the value out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise UsedWrongly(code, f"{where} is nested deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _walk(node: Any, loc: Loc, places: dict[Loc, tuple[int, int]], path: Path, code: str) -> None:
    import yaml

    places.setdefault(loc, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            where = f"{path.name}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise UsedWrongly(code, f"{where} has a key that is no plain word")
            if key.tag.endswith(":merge"):
                raise UsedWrongly(code, f"{where} uses a YAML merge key", fix="write the values out")
            if key.value in seen:
                raise UsedWrongly(code, f"{where} gives {key.value!r} twice", fix="remove one of them")
            seen.add(key.value)
            places[(*loc, key.value)] = (key.start_mark.line + 1, key.start_mark.column + 1)
            _walk(value, (*loc, key.value), places, path, code)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*loc, index), places, path, code)
