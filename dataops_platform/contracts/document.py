"""An ODCS 3.2 file as pydantic models: all keys of the standard, and what may stand under them.

A key marked `NotEnforced` may be used; the contract lists it as not enforced.

Source: Open Data Contract Standard 3.2, https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, FiniteFloat, ValidationInfo, field_validator

from dataops_platform.contracts.contract import LogicalType, Severity
from dataops_platform.kit.validation import StrictModel

Number = FiniteFloat | int
NOT_ENFORCED = "not enforced"
NotEnforced = Annotated[Any, NOT_ENFORCED]
Metric = Literal["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"]
LIMITS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)


class NonNullModel(StrictModel):
    """A record whose keys have values: `minimum:` without a number would be a rule that silently does nothing."""

    @field_validator("*", mode="before")
    @classmethod
    def _has_a_value(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None and cls.model_fields[str(info.field_name)].annotation is not Any:
            raise ValueError("has no value; write one, or leave the key out")
        return value


class Described(NonNullModel):
    """Keys with which people describe any part of a contract."""

    id: str | None = None
    description: str | None = None
    tags: list[str] = []
    customProperties: list[CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class CustomProperty(NonNullModel):
    """A property outside the standard; the platform reads `knownAt`."""

    id: str | None = None
    property: str
    value: Any
    description: str | None = None
    vendor: str | None = None


class EnumValue(Described):
    """One allowed value."""

    value: str | bool | Number
    label: str | None = None


class Arguments(NonNullModel):
    """The arguments of a metric: which values count as missing, which are valid, which columns form a key."""

    missingValues: list[str | Number | None] = []
    validValues: list[str | bool | Number] = []
    pattern: str | None = None
    properties: list[str] = []


class Quality(Described):
    """A rule of a table or a column.

    `custom`: a boolean DuckDB expression over one row, or a check written with pandera's API. `library`: a metric of
    the standard and its limits. `sql`: a query that returns one number, and its limits. `text`: prose, not enforced.
    """

    name: str | None = None
    type: Literal["custom", "library", "sql", "text"] = "custom"
    engine: Literal["duckdb", "pandera"] | None = None
    implementation: str | None = None
    metric: Metric | None = None
    arguments: Arguments = Arguments()
    unit: Literal["rows", "percent"] = "rows"
    query: str | None = None
    mustBe: Number | None = None
    mustNotBe: Number | None = None
    mustBeGreaterThan: Number | None = None
    mustBeGreaterOrEqualTo: Number | None = None
    mustBeLessThan: Number | None = None
    mustBeLessOrEqualTo: Number | None = None
    mustBeBetween: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    mustNotBeBetween: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    severity: Severity = "error"
    dimension: str | None = None
    businessImpact: str | None = None
    rule: NotEnforced = None
    method: NotEnforced = None
    schedule: NotEnforced = None
    scheduler: NotEnforced = None


class Relationship(NonNullModel):
    """The `table.column` in which a value must exist."""

    id: str | None = None
    type: Literal["foreignKey"] = "foreignKey"
    from_: NotEnforced = Field(None, alias="from")
    to: str
    customProperties: list[CustomProperty] = []


class TypeOptions(NonNullModel):
    """Bounds of a column; each becomes a rule of the same name."""

    minimum: Number | None = None
    maximum: Number | None = None
    exclusiveMinimum: Number | None = None
    exclusiveMaximum: Number | None = None
    minLength: int | None = None
    maxLength: int | None = None
    pattern: str | None = None
    format: NotEnforced = None
    multipleOf: NotEnforced = None
    timezone: NotEnforced = None
    defaultTimezone: NotEnforced = None
    maxItems: NotEnforced = None
    minItems: NotEnforced = None
    uniqueItems: NotEnforced = None
    maxProperties: NotEnforced = None
    minProperties: NotEnforced = None
    required: NotEnforced = None


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
    enum: list[EnumValue] = Field([], min_length=1)
    relationships: list[Relationship] = []
    quality: list[Quality] = []
    examples: list[Any] = []
    criticalDataElement: bool | None = None
    transformLogic: str | None = None
    transformDescription: str | None = None
    transformSourceObjects: list[str] = []
    synonyms: list[Any] = []
    semanticType: str | None = None
    deprecated: NotEnforced = None
    physicalName: NotEnforced = None
    partitioned: NotEnforced = None
    partitionKeyPosition: NotEnforced = None
    encryptedName: NotEnforced = None
    properties: NotEnforced = None
    items: NotEnforced = None
    map: NotEnforced = None


class SchemaObject(Described):
    """A table."""

    name: str
    logicalType: Literal["object"] = "object"
    physicalType: str | None = None
    businessName: str | None = None
    dataGranularityDescription: str | None = None
    properties: list[Property] = Field(min_length=1)
    quality: list[Quality] = []
    synonyms: list[Any] = []
    context: Any = None
    deprecated: NotEnforced = None
    physicalName: NotEnforced = None
    relationships: NotEnforced = None


class TeamMember(Described):
    """A person of a team."""

    username: str
    name: str | None = None
    role: str | None = None
    dateIn: str | dt.date | None = None
    dateOut: str | dt.date | None = None
    replacedByUsername: str | None = None


class Team(Described):
    """The owner of the table."""

    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    members: list[TeamMember] = []


class Role(NonNullModel):
    """A role that may read the table; listed by lint, not enforced."""

    id: str | None = None
    role: str
    access: str | None = None
    firstLevelApprovers: str | None = None
    secondLevelApprovers: str | None = None
    description: str | None = None
    customProperties: list[CustomProperty] = []


class Sla(NonNullModel):
    """A promise about time. `freshness` (also `latency`) is enforced: no row is older than `value` `unit`s."""

    id: str | None = None
    property: str
    value: str | bool | Number | None = None
    unit: str | None = None
    element: str | None = None
    valueExt: NotEnforced = None
    driver: str | None = None
    description: str | None = None
    scheduler: NotEnforced = None
    schedule: NotEnforced = None
    customProperties: list[CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class Description(NonNullModel):
    """The purpose of the table."""

    purpose: str | None = None
    usage: str | None = None
    limitations: str | None = None
    customProperties: list[CustomProperty] = []
    authoritativeDefinitions: list[dict[str, Any]] = []


class Document(NonNullModel):
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
    slaProperties: list[Sla] = []
    slaDefaultElement: str | None = None
    objects: list[SchemaObject] = Field(alias="schema", min_length=1, max_length=1)
    support: list[dict[str, Any]] = []
    authoritativeDefinitions: list[dict[str, Any]] = []
    customProperties: list[CustomProperty] = []
    context: Any = None
    contractCreatedTs: Any = None
    servers: NotEnforced = None
    price: NotEnforced = None
