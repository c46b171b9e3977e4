"""YAML as configuration: no duplicate keys, anchors or tags, bounded size, and the place of every value in the file."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_platform.kit.errors import UsedWrongly, preview

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """The data of a YAML file, and the (line, column), from 1, of each key and list item."""

    name: str
    data: Any
    places: dict[Loc, tuple[int, int]] = field(repr=False)

    def below(self, key: str) -> YamlFile:
        """Return what stands under a top-level key as a file of its own; places stay those of the whole file."""
        places = {loc[1:]: place for loc, place in self.places.items() if loc[:1] == (key,)}
        return YamlFile(self.name, self.data.get(key), places)

    def known(self, loc: Loc) -> Loc:
        """Return `loc`, or its nearest parent that is in the file."""
        while loc and loc not in self.places:
            loc = loc[:-1]
        return loc

    def place(self, loc: Loc) -> str:
        """Return `file:line:column` of a location, or of its nearest parent that is in the file."""
        line, column = self.places.get(self.known(loc), (1, 1))
        return f"{self.name}:{line}:{column}"


def read_yaml(path: Path, name: str = "") -> YamlFile:
    """Read one YAML document; errors call it `name`, the file's own when none is given.

    Raises: UsedWrongly DP-Y001 to DP-Y013 when the file is missing, too large or deep, is no UTF-8, is no YAML,
    or has a duplicate key, a key that is no text, an anchor, an alias, a tag, or a number that people read otherwise.
    """
    import yaml

    name = name or path.name or str(path)
    loader_class: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is several times faster, where built in
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsedWrongly("DP-Y001", file=name, reason=error.strerror, path=path) from error
    if len(raw) > MAX_BYTES:
        raise UsedWrongly("DP-Y002", file=name, size=len(raw), most=MAX_BYTES)
    raw = raw.removeprefix(BOM_UTF8)
    try:
        text = raw.decode()
        _refuse_aliases_and_depth(yaml.parse(text, Loader=loader_class), name)
        loader = loader_class(text)
        try:
            node = loader.get_single_node()
            places: dict[Loc, tuple[int, int]] = {}
            if node is not None:
                _walk(node, (), places, name, loader)
            data = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise UsedWrongly("DP-Y003", place=f"{name}:{_place(raw, error.start)}") from error
    except yaml.MarkedYAMLError as error:
        place = _at(name, error.problem_mark or error.context_mark)
        raise UsedWrongly("DP-Y004", place=place, reason=error.problem or error.context) from error
    except yaml.reader.ReaderError as error:
        raise UsedWrongly("DP-Y004", place=f"{name}:{_place(raw, error.position)}", reason=error.reason) from error
    return YamlFile(name, data, places)


def _at(name: str, mark: Any) -> str:
    return f"{name}:{mark.line + 1}:{mark.column + 1}"


def _place(raw: bytes, offset: int) -> str:
    """Return `line:column` of a byte."""
    before = raw[:offset].decode(errors="replace")
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def _refuse_aliases_and_depth(events: Iterator[Any], name: str) -> None:
    import yaml

    depth = 0
    for event in events:
        place = _at(name, event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise UsedWrongly("DP-Y005", place=place)
        if getattr(event, "tag", None):
            raise UsedWrongly("DP-Y006", place=place)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise UsedWrongly("DP-Y007", place=place, most=MAX_DEPTH)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _is_another_number(text: str, value: Any) -> bool:
    """Return whether YAML 1.1 reads a text as another number than people do: `010` in octal, `1:30` in sixties."""
    if re.fullmatch(r"[-+]?[0-9][0-9_]*", text) and isinstance(value, int):
        return int(text.replace("_", "")) != value
    return ":" in text and isinstance(value, int | float)


def _walk(node: Any, loc: Loc, places: dict[Loc, tuple[int, int]], name: str, loader: Any) -> None:
    import yaml

    places.setdefault(loc, (node.start_mark.line + 1, node.start_mark.column + 1))
    if isinstance(node, yaml.ScalarNode):
        place = _at(name, node.start_mark)
        try:
            value = loader.construct_object(node)
        except (ValueError, yaml.constructor.ConstructorError) as error:
            raise UsedWrongly("DP-Y008", place=place, text=preview([node.value])) from error
        if _is_another_number(node.value, value):
            raise UsedWrongly("DP-Y009", place=place, text=preview([node.value]), value=value)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            place = _at(name, key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                raise UsedWrongly("DP-Y010", place=place)
            if key.tag.endswith(":merge"):
                raise UsedWrongly("DP-Y011", place=place)
            kind = key.tag.rpartition(":")[2]
            if kind != "str":
                raise UsedWrongly("DP-Y012", place=place, key=key.value, type=kind)
            if key.value in seen:
                raise UsedWrongly("DP-Y013", place=place, key=key.value)
            seen.add(key.value)
            places[(*loc, key.value)] = (key.start_mark.line + 1, key.start_mark.column + 1)
            _walk(value, (*loc, key.value), places, name, loader)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, (*loc, index), places, name, loader)
