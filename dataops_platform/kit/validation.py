"""Validation of YAML files: pydantic's errors become one error that names the line and the nearest known key."""

from __future__ import annotations

import re
import types
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from dataops_platform.kit.errors import UsedWrongly, did_you_mean, nearest, preview
from dataops_platform.kit.yaml_file import Loc, YamlFile

M = TypeVar("M", bound=BaseModel)


class StrictModel(BaseModel):
    """A frozen record that refuses unknown keys and converts nothing: `"5"` and `true` are not numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


def validate(model: type[M], file: YamlFile) -> M:
    """Return the file's content as a record.

    Raises: UsedWrongly DP-Y014 to DP-Y017 with `file:line:column`, the reason and the nearest known key or word.
    """
    data = {} if file.data is None else file.data
    if not isinstance(data, dict):
        raise UsedWrongly("DP-Y014", place=file.place(()), type=type(data).__name__)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        # a misspelt key is also a missing one: only the first of the two shows what to correct
        problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
        others = len({_place_of(p, file) for p in problems}) - 1
        more = f" ({others} more in this file)" if others else ""
        raise _error_of(model, file, problem, more) from None


def secret_error(message: str) -> PydanticCustomError:
    """Return the error with which a validator refuses a value that must not appear in a message."""
    return PydanticCustomError("secret", "{message}", {"message": message})


def _place_of(problem: Any, file: YamlFile) -> Loc:
    """Return the location of a problem in the file; for a missing key the location where it belongs.

    Pydantic adds the members of a union to a location; these are cut off.
    """
    loc = tuple(problem["loc"])
    return loc if problem["type"] == "missing" else file.known(loc)


def _error_of(model: type[BaseModel], file: YamlFile, problem: Any, more: str) -> UsedWrongly:
    loc = _place_of(problem, file)
    place, key = file.place(loc), ".".join(str(part) for part in loc)
    if problem["type"] == "extra_forbidden":
        hint = did_you_mean(str(loc[-1]), known_keys(model, loc[:-1]))
        return UsedWrongly("DP-Y015", place=place, key=key, hint=hint, more=more)
    if problem["type"] == "missing":
        return UsedWrongly("DP-Y016", place=file.place(loc[:-1]), key=key, more=more)
    is_hidden = problem["type"] == "secret" or isinstance(problem["input"], dict | list)
    given = "" if is_hidden else f" (given: {preview([repr(problem['input'])])})"
    reason = problem["msg"].removeprefix("Value error, ") + given
    return UsedWrongly("DP-Y017", place=place, key=key, reason=reason, hint=_nearest_value(problem), more=more)


def _nearest_value(problem: Any) -> str:
    """Return a hint that names the nearest of several allowed words, else an empty string."""
    allowed = re.findall(r"'([^']*)'", problem["ctx"]["expected"]) if problem["type"] == "literal_error" else []
    near = nearest(str(problem["input"]), allowed) if len(allowed) > 1 else ""
    return f"; did you mean {near!r}?" if near else ""


def known_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys that a record accepts at `loc`.

    Where `loc` leads nowhere these are the keys of the deepest record on the way.
    """
    current: Any = model
    for part in loc:
        inner = _inner_type(current, part)
        if inner is None:
            break
        current = inner
    found = _record_in(current)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _inner_type(annotation: Any, part: str | int) -> Any:
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
