"""Checks of single rules, beside the check of the whole contract: which rules have one, its name, and its result."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.kit.errors import UsedWrongly, did_you_mean, preview
from dataops_platform.manifests.manifest import Verdict

CONTRACT_CHECK = "contract"
ALL = "all"
Single = bool | str | Sequence[str]
"""Rules that get a check of their own, by name; `all` or True for every rule, empty for the warnings alone."""


@dataclass(frozen=True)
class RuleCheck:
    """The check of one rule. `name` is the rule's in characters that Dagster allows: `amount__minimum`."""

    name: str
    rule: Rule
    description: str


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule on all current rows: the rows that break it, and the number it measured, if any.

    `unjudged` are partitions that were last audited under a contract without the rule.
    """

    failing_rows: int
    measured: float | None = None
    message: str = ""
    unjudged: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no row is known to break the rule."""
        return not self.failing_rows


def rule_checks(contract: Contract, single: Single = ()) -> tuple[RuleCheck, ...]:
    """Return the rules with a check of their own: those that only warn, and those of `single`.

    Raises: UsedWrongly DP-C040 for a rule that the contract does not have.
    """
    wanted = _wanted(contract, single)
    names, found = {CONTRACT_CHECK}, list[RuleCheck]()
    for rule in contract.rules:
        if rule.severity == "warning" or rule.name in wanted:
            name = _name(rule.name, names)
            names.add(name)
            text = f"{rule.description or said_of(rule)} (rule {rule.name} of {contract.path.name})"
            found.append(RuleCheck(name, rule, text))
    return tuple(found)


def said_of(rule: Rule) -> str:
    """Return what a rule requires, in a few words."""
    argument = ", ".join(map(str, rule.argument)) if isinstance(rule.argument, tuple) else rule.argument
    limits = [f"{name} {bound}" for name, bound in rule.limits]
    words = (rule.kind.replace("_", " "), "" if argument is None else str(argument), *limits)
    return " ".join(word for word in words if word)


def finding_of(rule: Rule, verdicts: Mapping[str, Sequence[Verdict]]) -> RuleResult:
    """Return the result of a rule on all partitions together (`""`: the whole)."""
    judged = {partition: v for partition, given in verdicts.items() for v in given if v.rule == rule.name}
    broken = {partition: v for partition, v in judged.items() if v.failing_rows}
    numbers = [v.measured for v in judged.values() if v.measured is not None]
    unjudged = tuple(partition for partition in verdicts if partition not in judged)
    parts = [
        preview(f"{_amount(v)} {f'in {partition}' if partition else ''}".strip() for partition, v in broken.items())
    ]
    parts += [f"not judged yet in {preview(partition or 'the table' for partition in unjudged)}"] if unjudged else []
    return RuleResult(
        sum(v.failing_rows for v in broken.values()),
        numbers[0] if len(numbers) == 1 else None,
        "; ".join(part for part in parts if part),
        unjudged,
    )


def _amount(verdict: Verdict) -> str:
    if verdict.measured is not None:
        return f"measured {verdict.measured:g}"
    return f"{verdict.failing_rows} row{'' if verdict.failing_rows == 1 else 's'}"


def _wanted(contract: Contract, single: Single) -> set[str]:
    known = [rule.name for rule in contract.rules]
    if single is True or (single == ALL and ALL not in known):
        return set(known)
    wanted = [single] if isinstance(single, str) else list(single or ())
    for name in wanted:
        if name not in known:
            raise UsedWrongly("DP-C040", contract=contract.path.name, rule=name, hint=did_you_mean(str(name), known))
    return set(wanted)


def _name(rule: str, taken: set[str]) -> str:
    """Return a name in characters that Dagster allows, which no other check of the contract has."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", rule.replace(":", "__"))
    number = 2
    while name in taken:
        name, number = f"{name.removesuffix(f'_{number - 1}')}_{number}", number + 1
    return name
