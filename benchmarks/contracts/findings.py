"""What a side says about the 25 rules, and whether it is what was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.contracts.planted import RULES


@dataclass(frozen=True)
class Finding:
    """Rows that break a rule. Some sides count the rows of several rules together; some only say that there are any.

    `failing_rows` is None where rules are broken and the rows are not counted.
    """

    rules: tuple[str, ...]
    failing_rows: int | None


def each(failing_rows: Mapping[str, int]) -> list[Finding]:
    """One finding a rule, 0 for those that `failing_rows` does not name; names that are no rule stay, to be seen."""
    unknown = [rule for rule in failing_rows if rule not in RULES]
    return [Finding((rule,), failing_rows.get(rule, 0)) for rule in (*RULES, *unknown)]


def differences(findings: Sequence[Finding], planted: Mapping[str, int]) -> list[str]:
    """Where findings are not what was planted, in words; empty when each rule was judged once, and rightly."""
    judged = [rule for finding in findings for rule in finding.rules]
    wrong = [f"{rule} was not judged" for rule in planted if rule not in judged]
    wrong += [f"{rule} was judged {judged.count(rule)} times" for rule in planted if judged.count(rule) > 1]
    wrong += [f"{rule} is no rule" for rule in dict.fromkeys(judged) if rule not in planted]
    for finding in findings:
        rows = sum(planted.get(rule, 0) for rule in finding.rules)
        if finding.failing_rows is None and rows == 0:
            wrong.append(f"{' + '.join(finding.rules)}: found broken, planted 0 rows")
        if finding.failing_rows is not None and finding.failing_rows != rows:
            wrong.append(f"{' + '.join(finding.rules)}: found {finding.failing_rows} rows, planted {rows}")
    return wrong
