"""Environments in `dataops.yaml`: where releases come from, which gates they pass, when an environment runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from dataops_platform.kit.errors import UsedWrongly, did_you_mean
from dataops_platform.kit.validation import StrictModel
from dataops_platform.settings.day import Day
from dataops_platform.settings.environ import checked_environment

PERSON = re.compile(r"(role:[a-z0-9_-]+|[^\s:]+)")
ANYONE = "*"
"""Among the people of a role this means everybody."""


def environment_name(value: str) -> str:
    """Return `value` when it can name an environment. Raises: ValueError."""
    try:
        return checked_environment(value)
    except UsedWrongly as error:
        raise ValueError(f"{error.message}; {error.fix}") from error


def cron_text(value: str) -> str:
    """Return `value` when it has the five fields of a cron schedule. Dagster checks each field when it loads.

    Raises: ValueError.
    """
    if len(value.split()) != 5:
        raise ValueError('write five fields: minute hour day month weekday, as in "0 5 * * *"')
    return value


def person(value: str) -> str:
    """Return `value` when it names a person, or a role as `role:<name>`. Raises: ValueError."""
    if not PERSON.fullmatch(value):
        raise ValueError("write a person's name without spaces, or role:<name>")
    return value


EnvironmentName = Annotated[str, AfterValidator(environment_name)]
Cron = Annotated[str, AfterValidator(cron_text)]
Person = Annotated[str, AfterValidator(person)]


class GateWaiver(StrictModel):
    """Lets a failed gate pass until a day; names who allows it and why."""

    by: Person
    """Who allows it."""
    why: str = Field(min_length=1)
    """Why."""
    until: Day
    """The last day of the waiver."""


class WaivableGate(StrictModel):
    """A gate without settings other than its waiver."""

    waived: GateWaiver | None = None
    """Lets the gate pass for a while although it fails; the failure is still shown."""


class ModelNotWorse(WaivableGate):
    """Compares each model of a release with the one that the environment shows: same rows, as a whole and by slice."""

    metric: Literal["auc", "brier"] = "auc"
    """The metric: the area under the ROC curve (more is better), or the Brier score (less is better)."""
    tolerance: float = Field(default=0.0, ge=0)
    """How much worse the model may be."""
    slices: list[str] = []
    """Columns of the feature table; the models are compared on the rows of each of their values, too."""
    smallest_slice: int = Field(default=200, ge=1)
    """Slices with fewer rows are not compared."""


class ApprovalGate(WaivableGate):
    """Requires people to approve the plan: `by` whom, how many, not by its author (`four_eyes`), `signed`."""

    by: list[Person] = Field(min_length=1)
    """People, or roles as `role:NAME`, whose approval counts."""
    count: int = Field(default=1, ge=1)
    """How many of them must approve."""
    four_eyes: bool = False
    """Whether approvals by the builder of the release, or by the person who promotes it, do not count."""
    signed: bool = False
    """Whether only approvals signed with an SSH key count."""


class CustomGate(WaivableGate):
    """A function of the project, `module:function`, that receives the gate's question and returns an answer."""

    call: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """The function, as `module:function`."""
    settings: dict[str, Any] = {}
    """Keyword arguments of the function."""


class GateSettings(StrictModel):
    """One gate, as its name or as a name with settings: `contracts`, `{model_not_worse: {tolerance: 0.01}}`."""

    contracts: WaivableGate | None = None
    """Was each table audited under the release's contract, and does it satisfy the contract?"""
    checks: WaivableGate | None = None
    """Do rules of severity `warning` mark no more rows than before?"""
    no_breaking_change: WaivableGate | None = None
    """Does a major version, or a waiver in `contracts/waivers.yaml`, announce each breaking change?"""
    model_not_worse: ModelNotWorse | None = None
    """Is each model as good as the one that the environment shows, on the same rows?"""
    freshness: WaivableGate | None = None
    """Was each table audited within the time that its contract promises?"""
    approval: ApprovalGate | None = None
    """Have enough people approved the plan?"""
    function: CustomGate | None = None
    """Does a function of the project let the release pass? Also written as its name alone: `my_project.gates:few`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.settings is None:
            raise ValueError("write one gate an item, as a name or as {name: {…}}")
        return self

    @property
    def kind(self) -> str:
        """The key of the gate; `function` for a function of the project."""
        return next(iter(self.model_fields_set))

    @property
    def name(self) -> str:
        """The name that people see: the key, or the reference of the function."""
        gate = self.settings
        return gate.call if isinstance(gate, CustomGate) else self.kind

    @property
    def settings(self) -> WaivableGate:
        """The settings of the gate."""
        found: WaivableGate = getattr(self, next(iter(self.model_fields_set), "contracts"))
        return found


def gate_item(value: object) -> object:
    """Return a gate that is written as its name alone, as a mapping. Raises: ValueError for an unknown name."""
    if not isinstance(value, str):
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value
    if ":" in value:
        return {"function": {"call": value}}
    if value not in GateSettings.model_fields:
        raise ValueError(f"there is no such gate; {did_you_mean(value, GateSettings.model_fields)}")
    return {value: {}}


Gate = Annotated[GateSettings, BeforeValidator(gate_item)]


class EnvironmentSettings(StrictModel):
    """An environment. One with `from` is guarded: it shows only promoted releases, and runs only their code."""

    from_: EnvironmentName | None = Field(default=None, alias="from")
    """The environment that releases come from. Without it people work here, and releases are built from what it shows.
    """
    gates: list[Gate] = []
    """The gates that a promotion must pass, in order."""
    schedule: Cron | None = None
    """A cron schedule of five fields, in UTC; each run publishes new data under the same release."""

    @model_validator(mode="after")
    def _gates_have_an_entry(self) -> Self:
        if self.gates and self.from_ is None:
            raise ValueError("gates are asked before a promotion: say `from` which environment releases come")
        names = [gate.name for gate in self.gates]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise ValueError(f"the gate {duplicates[0]!r} is there twice")
        return self


def check_origins(environments: dict[str, EnvironmentSettings]) -> None:
    """Refuse a `from` that names no listed environment, or that forms a cycle. Raises: ValueError."""
    for name in environments:
        seen, at = [name], environments[name].from_
        while at is not None:
            if at not in environments:
                raise ValueError(f"{seen[-1]} takes releases from {at!r}, which is not listed")
            if at in seen:
                raise ValueError(f"{name} takes releases from itself: {' <- '.join([*seen, at])}")
            seen.append(at)
            at = environments[at].from_


def check_roles(environments: dict[str, EnvironmentSettings], roles: dict[str, list[str]]) -> None:
    """Refuse an approval gate that names a role without members: nobody could approve. Raises: ValueError."""
    for name, settings in environments.items():
        for approval in (gate.approval for gate in settings.gates if gate.approval):
            for role in (who.removeprefix("role:") for who in approval.by if who.startswith("role:")):
                if not roles.get(role):
                    raise ValueError(
                        f"{name} wants approval by role:{role}, which nobody has; {did_you_mean(role, roles)}"
                    )


def people_of(wanted: Iterable[str], roles: dict[str, list[str]]) -> set[str]:
    """Return the people that `wanted` names, each role replaced by its members."""
    found: set[str] = set()
    for name in wanted:
        kind, colon, role = name.partition(":")
        found |= set(roles.get(role, [])) if colon and kind == "role" else {name}
    return found
