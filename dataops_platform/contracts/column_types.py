"""The types of a contract's columns, and the options that each may have."""

from __future__ import annotations

import re
import warnings

from dataops_platform.contracts.contract import Column, LogicalType, RuleKind
from dataops_platform.contracts.document import NOT_ENFORCED, Property, TypeOptions
from dataops_platform.contracts.sql_check import pattern_error
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.yaml_file import Loc, YamlFile

SQL_TYPES: dict[LogicalType, tuple[str, ...]] = {
    "string": ("varchar", "text"),
    "integer": ("bigint", "int", "integer", "smallint", "tinyint"),
    "number": ("double", "float", "real"),
    "boolean": ("boolean",),
    "date": ("date",),
    "timestamp": ("timestamp", "timestamptz"),
    "time": ("time",),
}
"""The physical types of each logical type; the first is the default. `decimal(p,s)` is a number, too."""
BOUNDS: dict[str, RuleKind] = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "pattern": "pattern",
}
_NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
_TEXTUAL = frozenset({"minLength", "maxLength", "pattern"})
APPLICABLE: dict[LogicalType, tuple[frozenset[str], tuple[type, ...]]] = {
    "string": (_TEXTUAL, (str,)),
    "integer": (_NUMERIC, (int,)),
    "number": (_NUMERIC, (int, float)),
    "boolean": (frozenset(), (bool,)),
}
"""The options, and the Python types of enum values, that apply to a logical type; none apply to dates and times."""


def column_of(prop: Property, file: YamlFile, loc: Loc) -> Column:
    """Return a column as a plain record. Raises: UsedWrongly DP-C052 for a physical type of another logical type."""
    known = SQL_TYPES[prop.logicalType]
    sql_type = (prop.physicalType or known[0]).lower().replace(" ", "")
    if sql_type not in known and not (prop.logicalType == "number" and _is_decimal(sql_type)):
        decimal = ["decimal(p,s) with s <= p <= 38"] if prop.logicalType == "number" else []
        raise UsedWrongly(
            "DP-C052",
            place=file.place((*loc, "physicalType")),
            type=prop.physicalType,
            logical_type=prop.logicalType,
            known=" or ".join([*known, *decimal]),
        )
    known_at = next((p.value for p in prop.customProperties if p.property == "knownAt"), "")
    return Column(
        name=prop.name,
        logical_type=prop.logicalType,
        sql_type=sql_type,
        description=prop.description or "",
        required=prop.required or prop.primaryKey,
        unique=prop.unique,
        primary_key=prop.primaryKey,
        classification=prop.classification or "",
        known_at=str(known_at),
        tags=tuple(prop.tags),
    )


def _is_decimal(sql_type: str) -> bool:
    match = re.fullmatch(r"decimal\(([0-9]+),([0-9]+)\)", sql_type)
    return match is not None and int(match[2]) <= int(match[1]) <= 38 and int(match[1]) > 0


def refuse_other_options(prop: Property, file: YamlFile, loc: Loc) -> None:
    """Refuse options and enum values that a column's type does not have, and bounds that no value can hold.

    Raises: UsedWrongly DP-C058 to DP-C063.
    """
    options, values = APPLICABLE.get(prop.logicalType, (frozenset(), ()))
    checked = {name for name, info in TypeOptions.model_fields.items() if NOT_ENFORCED not in info.metadata}
    for option in sorted(prop.logicalTypeOptions.model_fields_set & checked - options):
        place = file.place((*loc, "logicalTypeOptions", option))
        raise UsedWrongly("DP-C058", place=place, option=option, logical_type=prop.logicalType)
    for index, item in enumerate(prop.enum):
        if type(item.value) not in values:
            place = file.place((*loc, "enum", index, "value"))
            raise UsedWrongly("DP-C059", place=place, value=item.value, logical_type=prop.logicalType)
    _refuse_contradictions(prop.logicalTypeOptions, file, (*loc, "logicalTypeOptions"))
    if prop.enum and prop.logicalType == "number" and (prop.physicalType or "").lower() in ("float", "real"):
        raise UsedWrongly("DP-C060", place=file.place((*loc, "enum")), type=prop.physicalType)
    if prop.logicalTypeOptions.pattern is not None:
        place = file.place((*loc, "logicalTypeOptions", "pattern"))
        _refuse_invalid_pattern(prop.logicalTypeOptions.pattern, place)


def _refuse_invalid_pattern(pattern: str, place: str) -> None:
    """Refuse a text that is a regular expression neither for Python nor for DuckDB (RE2), which judges rows."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of sets that Python may once read otherwise
            re.compile(pattern)
    except re.error as error:
        if pattern_error(pattern):
            raise UsedWrongly("DP-C061", place=place, reason=error) from error


def _refuse_contradictions(options: TypeOptions, file: YamlFile, loc: Loc) -> None:
    """Refuse bounds that no value can hold, and bounds with more digits than a number keeps."""
    floors = [(options.minimum, False, "minimum"), (options.exclusiveMinimum, True, "exclusiveMinimum")]
    ceilings = [(options.maximum, False, "maximum"), (options.exclusiveMaximum, True, "exclusiveMaximum")]
    floors += [(options.minLength, False, "minLength")]
    ceilings += [(options.maxLength, False, "maxLength")]
    for low, open_below, below in floors:
        for high, open_above, above in ceilings:
            if low is None or high is None or below.endswith("Length") != above.endswith("Length"):
                continue
            if low > high or (low == high and (open_below or open_above)):
                place = file.place((*loc, above))
                raise UsedWrongly("DP-C062", place=place, above=above, high=high, below=below, low=low)
    for bound, _, name in (*floors, *ceilings):
        if isinstance(bound, float) and abs(bound) >= 2**53:  # from here on a double skips whole numbers
            raise UsedWrongly("DP-C063", place=file.place((*loc, name)))
