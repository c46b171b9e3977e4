"""Environments in `dataops.yaml`: where releases come from, which gates they pass, when the environment runs."""

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
"""Among the people of a role: whoever it is."""


def environment_name(value: str) -> str:
    """`value` when it can name an environment."""
    try:
        return checked_environment(value)
    except UsedWrongly as error:
        raise ValueError(f"{error.message}; {error.fix}") from error


def cron_text(value: str) -> str:
    """`value` when it has the five fields of a cron schedule; Dagster checks each when it loads."""
    if len(value.split()) != 5:
        raise ValueError('write five fields: minute hour day month weekday, as in "0 5 * * *"')
    return value


def person(value: str) -> str:
    """`value` when it names a person, or a role as `role:<name>`."""
    if not PERSON.fullmatch(value):
        raise ValueError("write a person's name without spaces, or role:<name>")
    return value


EnvironmentName = Annotated[str, AfterValidator(environment_name)]
Cron = Annotated[str, AfterValidator(cron_text)]
Person = Annotated[str, AfterValidator(person)]


class WaiverOfGate(StrictModel):
    """Lets a gate that says no be passed until a day: who allows it, and why."""

    by: Person
    """Who allows it."""
    why: str = Field(min_length=1)
    """Why."""
    until: Day
    """The last day on which it counts."""


class PlainGate(StrictModel):
    """A gate without settings of its own."""

    waived: WaiverOfGate | None = None
    """Lets its no pass for a while; the no is still shown."""


class ModelNotWorse(PlainGate):
    """Each model of a release is judged beside the one shown, on the same rows, as a whole and slice by slice."""

    metric: Literal["auc", "brier"] = "auc"
    """What is compared: the area under the ROC curve (more is better), or the Brier score (less is better)."""
    tolerance: float = Field(default=0.0, ge=0)
    """How much worse it may be."""
    slices: list[str] = []
    """Columns of the feature table, for each value of which it is compared, too."""
    smallest_slice: int = Field(default=200, ge=1)
    """Slices of fewer rows are not compared."""


class Approval(PlainGate):
    """People who must say yes to the plan: `by` whom, how many, not the one who asks (`four_eyes`), `signed`."""

    by: list[Person] = Field(min_length=1)
    """People, or roles as `role:NAME`."""
    count: int = Field(default=1, ge=1)
    """How many of them must say yes."""
    four_eyes: bool = False
    """Whether a yes of who built the release, or of who promotes it, does not count."""
    signed: bool = False
    """Whether only approvals signed with an SSH key count."""


class OwnGate(PlainGate):
    """A function of the project, `module:function`, that is given the question and answers it."""

    call: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    """The function, as `module:function`."""
    settings: dict[str, Any] = {}
    """Arguments it is given by name, after the question."""


class GateSettings(StrictModel):
    """One gate, as its name or as a name with settings: `contracts`, `{model_not_worse: {tolerance: 0.01}}`."""

    contracts: PlainGate | None = None
    """Was each table audited under the contract of the release, and does it hold?"""
    checks: PlainGate | None = None
    """Do rules of severity `warning` warn of no more rows than before?"""
    no_breaking_change: PlainGate | None = None
    """Is each break announced by a major version, or let pass by `contracts/waivers.yaml`?"""
    model_not_worse: ModelNotWorse | None = None
    """Is each model as good as the one shown, on the same rows?"""
    freshness: PlainGate | None = None
    """Was each table audited within the time that its contract promises?"""
    approval: Approval | None = None
    """Did enough people say yes to the plan?"""
    function: OwnGate | None = None
    """What does a function of the project answer? Also as its name alone: `my_project.gates:few`."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.settings is None:
            raise ValueError("write one gate an item, as a name or as {name: {…}}")
        return self

    @property
    def kind(self) -> str:
        """Which gate it is; for a function of the project, `function`."""
        return next(iter(self.model_fields_set))

    @property
    def name(self) -> str:
        """How people call it: its kind, or the function's reference."""
        own = self.settings
        return own.call if isinstance(own, OwnGate) else self.kind

    @property
    def settings(self) -> PlainGate:
        """Its settings."""
        found: PlainGate = getattr(self, next(iter(self.model_fields_set), "contracts"))
        return found


def gate_item(value: object) -> object:
    """A gate written as a name alone, as the record it stands for. Raises: ValueError for a name that is none."""
    if not isinstance(value, str):
        return {k: {} if v is None else v for k, v in value.items()} if isinstance(value, dict) else value
    if ":" in value:
        return {"function": {"call": value}}
    if value not in GateSettings.model_fields:
        raise ValueError(f"there is no such gate; {did_you_mean(value, GateSettings.model_fields)}")
    return {value: {}}


Gate = Annotated[GateSettings, BeforeValidator(gate_item)]


class EnvironmentSettings(StrictModel):
    """An environment. One with `from` is guarded: it shows only what was promoted to it, and runs only that code."""

    from_: EnvironmentName | None = Field(default=None, alias="from")
    """The environment that releases come from. Without it people work here; releases are built of what it shows."""
    gates: list[Gate] = []
    """What is asked before a promotion, in order."""
    schedule: Cron | None = None
    """When it runs, in UTC, as five fields of cron: new data under the same release."""

    @model_validator(mode="after")
    def _gates_have_an_entry(self) -> Self:
        if self.gates and self.from_ is None:
            raise ValueError("gates are asked before a promotion: say `from` which environment releases come")
        names = [gate.name for gate in self.gates]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the gate {twice[0]!r} is there twice")
        return self


def check_origins(environments: dict[str, EnvironmentSettings]) -> None:
    """Refuses a `from` that leads nowhere, or round in a circle. Raises: ValueError."""
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
    """Refuses an approval by a role that nobody has: nobody could give it. Raises: ValueError."""
    for name, settings in environments.items():
        for approval in (gate.approval for gate in settings.gates if gate.approval):
            for role in (who.removeprefix("role:") for who in approval.by if who.startswith("role:")):
                if not roles.get(role):
                    raise ValueError(
                        f"{name} wants approval by role:{role}, which nobody has; {did_you_mean(role, roles)}"
                    )


def people_of(wanted: Iterable[str], roles: dict[str, list[str]]) -> set[str]:
    """The people that `wanted` names, each role replaced by those who have it."""
    found: set[str] = set()
    for name in wanted:
        kind, colon, role = name.partition(":")
        found |= set(roles.get(role, [])) if colon and kind == "role" else {name}
    return found
