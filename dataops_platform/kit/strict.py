"""Turns pydantic's verdict on a YAML file into one error that names the line and the nearest known key."""

from __future__ import annotations

import types
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.yaml_file import Loc, YamlFile

M = TypeVar("M", bound=BaseModel)


class StrictModel(BaseModel):
    """A frozen record that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def validate(model: type[M], file: YamlFile, code: str) -> M:
    """The file's content as a record.

    Raises: UsedWrongly with `code`, `file:line:column`, the reason and, for an unknown key, the nearest known one.
    """
    data = {} if file.data is None else file.data
    if not isinstance(data, dict):
        raise UsedWrongly(code, f"{file.place(())} must hold keys and values, not {type(data).__name__}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
        raise UsedWrongly(code, *_explain(model, file, problem, len(problems))) from None


def _explain(model: type[BaseModel], file: YamlFile, problem: Any, count: int) -> tuple[str]:
    loc: Loc = tuple(problem["loc"])
    shown = ".".join(str(part) for part in loc)
    more = f" ({count - 1} more problems in this file)" if count > 1 else ""
    if problem["type"] == "extra_forbidden":
        hint = did_you_mean(str(loc[-1]), known_keys(model, loc[:-1]))
        return (f"{file.place(loc)} has an unknown key {shown!r}; {hint}{more}",)
    if problem["type"] == "missing":
        return (f"{file.place(loc[:-1])} lacks the key {shown!r}{more}",)
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if isinstance(problem["input"], dict | list) else f" (given: {_cut(problem['input'])})"
    return (f"{file.place(loc)} {shown!r}: {message}{given}{more}",)


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def known_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys a record accepts at `loc`; those of the deepest record on the way when `loc` leads nowhere."""
    current: Any = model
    for part in loc:
        inner = _step(current, part)
        if inner is None:
            break
        current = inner
    found = _record_in(current)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _step(annotation: Any, part: str | int) -> Any:
    record = _record_in(annotation)
    if record is not None and isinstance(part, str):
        for name, field in record.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
    for candidate in _flatten(annotation):
        arguments = typing.get_args(candidate)
        if typing.get_origin(candidate) in (list, tuple, dict) and arguments:
            return arguments[-1] if typing.get_origin(candidate) is dict else arguments[0]
    return None


def _record_in(annotation: Any) -> type[BaseModel] | None:
    for candidate in _flatten(annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _flatten(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        return _flatten(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [inner for part in typing.get_args(annotation) for inner in _flatten(part)]
    return [annotation]
