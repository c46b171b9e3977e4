"""Changes between two contracts of a table, and what they mean to its readers.

Breaking: a reader may meet what was impossible before (a missing column, a null, a value outside the old bounds).
Compatible: readers get the same or more. Cosmetic: prose. A change needs the next major, minor or patch version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dataops_platform.contracts.contract import Column, Contract, Rule

ChangeLevel = Literal["breaking", "compatible", "cosmetic"]
LEVELS: tuple[ChangeLevel, ...] = ("cosmetic", "compatible", "breaking")
_WIDER = (("tinyint", "smallint", "integer", "bigint"), ("float", "double"))
_SAME = {"int": "integer", "real": "float", "text": "varchar"}
_SMALLER_IS_LOOSER = frozenset({"minimum", "exclusive_minimum", "min_length"})
_LARGER_IS_LOOSER = frozenset({"maximum", "exclusive_maximum", "max_length"})
_UPPER = frozenset({"mustBeLessThan", "mustBeLessOrEqualTo"})
_LOWER = frozenset({"mustBeGreaterThan", "mustBeGreaterOrEqualTo"})


@dataclass(frozen=True)
class Change:
    """One difference. `column` is empty when it concerns the whole table."""

    level: ChangeLevel
    what: str
    column: str = ""


def diff(old: Contract | None, new: Contract | None) -> tuple[Change, ...]:
    """Return the changes from `old` to `new`, worst first. None stands for a contract that does not exist."""
    if old is None or new is None:
        return () if old is new else (_presence(old, new),)
    changes = [*_table(old, new), *_columns(old, new), *_rules(old, new)]
    return tuple(sorted(changes, key=lambda change: (-LEVELS.index(change.level), change.column, change.what)))


def worst_level(changes: Sequence[Change]) -> ChangeLevel | None:
    """Return the worst level among changes, or None without changes."""
    return max((change.level for change in changes), key=LEVELS.index, default=None)


def version_after(version: str, level: ChangeLevel | None) -> str:
    """Return the lowest version that a change of this level allows."""
    major, minor, patch = (int(part) for part in version.split("."))
    if level == "breaking":
        return f"{major + 1}.0.0"
    if level == "compatible":
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}" if level == "cosmetic" else version


def is_bumped(old: Contract, new: Contract, level: ChangeLevel | None) -> bool:
    """Return whether the version of `new` announces a change of this level."""
    return _number(new.version) >= _number(version_after(old.version, level))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _presence(old: Contract | None, new: Contract | None) -> Change:
    if new is None:
        return Change("breaking", "the contract is gone")
    return Change("compatible", "a new contract")


def _table(old: Contract, new: Contract) -> Iterator[Change]:
    if old.id != new.id:
        yield Change("breaking", f"the contract is {new.id}, no longer {old.id}")
    if old.table != new.table:
        yield Change("breaking", f"the table is called {new.table}, no longer {old.table}")
    if old.primary_key != new.primary_key:
        before, after = ", ".join(old.primary_key) or "nothing", ", ".join(new.primary_key) or "nothing"
        yield Change("breaking", f"the key is {after}, no longer {before}")
    if old.owner != new.owner:
        yield Change("compatible", f"the owner is {new.owner}, no longer {old.owner}")
    if old.description != new.description:
        yield Change("cosmetic", "another description")
    if old.tags != new.tags:
        yield Change("cosmetic", f"the tags are {_joined(new.tags)}, no longer {_joined(old.tags)}")
    before_s = old.freshness.seconds if old.freshness else float("inf")
    after_s = new.freshness.seconds if new.freshness else float("inf")
    if old.freshness != new.freshness:
        looser = after_s > before_s or (before_s == after_s)
        yield Change("breaking" if looser else "compatible", f"fresh within {_span(after_s)}, before {_span(before_s)}")


def _span(seconds: float) -> str:
    return "no time promised" if seconds == float("inf") else f"{seconds / 3600:g} h"


def _columns(old: Contract, new: Contract) -> Iterator[Change]:
    before, after = ({c.name: c for c in contract.columns} for contract in (old, new))
    for name in before.keys() - after.keys():
        yield Change("breaking", f"{name} is gone", name)
    for name in after.keys() - before.keys():
        yield Change("compatible", f"{name} is new", name)
    for name in before.keys() & after.keys():
        yield from _column(before[name], after[name])
    shared = [c.name for c in old.columns if c.name in after]
    if shared != [c.name for c in new.columns if c.name in before]:
        yield Change("cosmetic", "the columns stand in another order")


def _column(old: Column, new: Column) -> Iterator[Change]:
    name = old.name
    before, after = (_SAME.get(c.sql_type, c.sql_type) for c in (old, new))
    if before != after:
        level: ChangeLevel = "compatible" if _is_wider(before, after) else "breaking"
        yield Change(level, f"{name} is {new.sql_type}, no longer {old.sql_type}", name)
    if old.required != new.required:
        message = f"{name} is required now" if new.required else f"{name} may be null now"
        yield Change("compatible" if new.required else "breaking", message, name)
    if old.known_at != new.known_at:
        yield Change("breaking", f"{name} is known at {new.known_at or '?'}, no longer {old.known_at or '?'}", name)
    if old.classification != new.classification:
        message = f"{name} is classified {new.classification or 'nothing'}, no longer {old.classification or 'nothing'}"
        yield Change("compatible", message, name)
    if old.description != new.description:
        yield Change("cosmetic", f"{name} has another description", name)
    if old.tags != new.tags:
        yield Change("cosmetic", f"{name} is tagged {_joined(new.tags)}, no longer {_joined(old.tags)}", name)


def _joined(tags: tuple[str, ...]) -> str:
    return ", ".join(tags) or "none"


def _is_wider(before: str, after: str) -> bool:
    for chain in _WIDER:
        if before in chain and after in chain:
            return chain.index(before) < chain.index(after)
    if before.startswith("decimal") and after.startswith("decimal"):
        (p1, s1), (p2, s2) = (map(int, t[8:-1].split(",")) for t in (before, after))
        return s2 >= s1 and p2 - s2 >= p1 - s1
    return False


def _rules(old: Contract, new: Contract) -> Iterator[Change]:
    """Yield the changes of rules, except those that columns already report: types, nulls, the key."""
    reported = ("type", "required")
    before, after = (
        {rule.name: rule for rule in contract.rules if rule.kind not in reported and rule.name != "primary_key"}
        for contract in (old, new)
    )
    gone_columns = {c.name for c in old.columns} - {c.name for c in new.columns}
    for name in before.keys() - after.keys():
        if not set(before[name].columns) <= gone_columns or not before[name].columns:
            yield _rule_change(before[name], "breaking", f"the rule {name} is gone")
    for name in after.keys() - before.keys():
        yield _rule_change(after[name], "compatible", f"the rule {name} is new")
    for name in before.keys() & after.keys():
        yield from _rule(before[name], after[name])


def _rule(old: Rule, new: Rule) -> Iterator[Change]:
    if old.severity != new.severity:
        level: ChangeLevel = "compatible" if new.severity == "error" else "breaking"
        yield _rule_change(new, level, f"the rule {new.name} is of severity {new.severity}, no longer {old.severity}")
    if (old.kind, old.argument, old.limits) != (new.kind, new.argument, new.limits):
        level = "compatible" if _is_tighter(old, new) else "breaking"
        yield _rule_change(new, level, f"the rule {new.name} is {_definition(new)}, no longer {_definition(old)}")
    elif replace(old, description="", severity="error") != replace(new, description="", severity="error"):
        yield _rule_change(new, "breaking", f"the rule {new.name} is about {', '.join(new.columns)}")
    if old.description != new.description:
        yield _rule_change(new, "cosmetic", f"the rule {new.name} has another description")


def _rule_change(rule: Rule, level: ChangeLevel, what: str) -> Change:
    return Change(level, what, rule.columns[0] if len(rule.columns) == 1 else "")


def _definition(rule: Rule) -> str:
    argument = ", ".join(map(str, rule.argument)) if isinstance(rule.argument, tuple) else rule.argument
    return " ".join([str(argument), *(f"{name} {bound}" for name, bound in rule.limits)])


def _is_tighter(old: Rule, new: Rule) -> bool:
    """Return whether every value that holds the new rule also held the old one."""
    if old.kind != new.kind:
        return False
    if old.limits or new.limits:
        return old.argument == new.argument and _limits_tighter(dict(old.limits), dict(new.limits))
    if old.kind == "enum":
        return set(_values(new)) <= set(_values(old))
    if old.kind in _SMALLER_IS_LOOSER:
        return float(str(new.argument)) >= float(str(old.argument))
    if old.kind in _LARGER_IS_LOOSER:
        return float(str(new.argument)) <= float(str(old.argument))
    return False


def _values(rule: Rule) -> tuple[object, ...]:
    return rule.argument if isinstance(rule.argument, tuple) else (rule.argument,)


def _limits_tighter(old: dict[str, object], new: dict[str, object]) -> bool:
    for name, bound in old.items():
        if name not in new:
            return False
        now = new[name]
        if name in _UPPER and isinstance(now, int | float) and isinstance(bound, int | float):
            if now > bound:
                return False
        elif name in _LOWER and isinstance(now, int | float) and isinstance(bound, int | float):
            if now < bound:
                return False
        elif now != bound:
            return False
    return True
