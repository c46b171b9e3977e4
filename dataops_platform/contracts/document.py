"""An ODCS 3.2 file as records: which keys there are and what may stand under them.

Source: Open Data Contract Standard 3.2, https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field, FiniteFloat

from dataops_platform.contracts.contract import LogicalType, Severity
from dataops_platform.kit.strict import StrictModel

Number = FiniteFloat | int


class Described(StrictModel):
    """What people may say about anything."""

    id: str | None = None
    description: str | None = None
    tags: list[str] = []
    customProperties: list[CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class CustomProperty(StrictModel):
    """A property the standard does not know; the platform reads `knownAt`."""

    id: str | None = None
    property: str
    value: Any
    description: str | None = None
    vendor: str | None = None


class EnumValue(Described):
    """One allowed value."""

    value: str | bool | Number
    label: str | None = None


class Quality(Described):
    """A rule of a table or a column: a boolean DuckDB expression over one row, or prose."""

    name: str | None = None
    type: Literal["custom", "text"] = "custom"
    engine: Literal["duckdb"] | None = None
    implementation: str | None = None
    severity: Severity = "error"
    dimension: str | None = None
    businessImpact: str | None = None


class Relationship(StrictModel):
    """The `table.column` in which a value must be found."""

    id: str | None = None
    type: Literal["foreignKey"] = "foreignKey"
    to: str
    customProperties: list[CustomProperty] = []


class TypeOptions(StrictModel):
    """Bounds of a column; each becomes a rule of its name."""

    minimum: Number | None = None
    maximum: Number | None = None
    exclusiveMinimum: Number | None = None
    exclusiveMaximum: Number | None = None
    minLength: int | None = None
    maxLength: int | None = None
    pattern: str | None = None


class Property(Described):
    """A column."""

    name: str = Field(min_length=1)
    logicalType: LogicalType
    physicalType: str | None = None
    businessName: str | None = None
    required: bool = False
    unique: bool = False
    primaryKey: bool = False
    primaryKeyPosition: int | None = None
    classification: str | None = None
    logicalTypeOptions: TypeOptions = TypeOptions()
    enum: list[EnumValue] = []
    relationships: list[Relationship] = []
    quality: list[Quality] = []
    examples: list[Any] = []
    criticalDataElement: bool | None = None
    transformLogic: str | None = None
    transformDescription: str | None = None


class SchemaObject(Described):
    """A table."""

    name: str
    logicalType: Literal["object"] = "object"
    physicalType: str | None = None
    businessName: str | None = None
    dataGranularityDescription: str | None = None
    properties: list[Property] = Field(min_length=1)
    quality: list[Quality] = []


class Member(Described):
    """A person of a team."""

    username: str
    name: str | None = None
    role: str | None = None
    dateIn: str | dt.date | None = None
    dateOut: str | dt.date | None = None


class Team(Described):
    """Who owns the table."""

    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    members: list[Member] = []


class Role(Described):
    """Who may read it."""

    role: str
    access: str | None = None
    firstLevelApprovers: str | None = None
    secondLevelApprovers: str | None = None


class Description(StrictModel):
    """What the table is for."""

    purpose: str | None = None
    usage: str | None = None
    limitations: str | None = None
    customProperties: list[CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class Document(StrictModel):
    """The whole file."""

    apiVersion: str = Field(pattern=r"^v3\.\d+\.\d+$")
    kind: Literal["DataContract"]
    id: str
    name: str | None = None
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    status: str = "active"
    domain: str | None = None
    tenant: str | None = None
    dataProduct: str | None = None
    tags: list[str] = []
    description: Description = Description()
    team: Team
    roles: list[Role] = []
    objects: list[SchemaObject] = Field(alias="schema", min_length=1, max_length=1)
    support: list[dict[str, Any]] = []
    authoritativeDefinitions: list[dict[str, Any]] = []
    customProperties: list[CustomProperty] = []
