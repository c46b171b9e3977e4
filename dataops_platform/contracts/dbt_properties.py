"""A contract as dbt properties: a model's columns, and the rules that dbt-core's own tests can hold.

dbt-core tests nulls, duplicates, allowed values and references. The contract itself holds all other rules (keys of
several columns, bounds, patterns, types, expressions, percentages), after dbt and before anything is adopted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from dataops_platform.contracts.contract import Column, Contract, Rule
from dataops_platform.kit.sql import identifier

Properties = dict[str, Any]
_ZERO = frozenset({("mustBe", 0), ("mustBeLessOrEqualTo", 0)})


def dbt_properties(contract: Contract, name: str, names: Mapping[str, str]) -> Properties:
    """Return the dbt properties of the model `name`.

    `names` maps a table to its dbt reference, as `ref('orders')`; a rule that refers to a table outside it gets no
    test.
    """
    meta = {"contract": contract.id, "contract_version": contract.version, "owner": contract.owner}
    return {
        "name": name,
        **({"description": escape_jinja(contract.description)} if contract.description else {}),
        "config": {"meta": {key: escape_jinja(value) for key, value in meta.items()}},
        "columns": [_column(column, contract, names) for column in contract.columns],
    }


def escape_jinja(text: str) -> str:
    """Return text that comes out unchanged when dbt renders it as Jinja."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if re.search(r"{{|{%|{#", text) else text


def _column(column: Column, contract: Contract, names: Mapping[str, str]) -> Properties:
    tests = _tests(column, contract, names)
    return {
        "name": column.name,
        **({"quote": True} if _must_be_quoted(column.name) else {}),
        "data_type": column.sql_type,
        **({"description": escape_jinja(column.description)} if column.description else {}),
        **(
            {"config": {"meta": {"classification": escape_jinja(column.classification)}}}
            if column.classification
            else {}
        ),
        **({"data_tests": tests} if tests else {}),
    }


def _tests(column: Column, contract: Contract, names: Mapping[str, str]) -> list[str | Properties]:
    """Return the tests of a column, one for each rule; of two rules with the same test the stricter severity stands."""
    found: dict[str, tuple[str, Properties]] = {}
    for rule in contract.rules:
        row_rule = _as_row_rule(rule)
        for kind, arguments in _test(row_rule, names) if row_rule and row_rule.columns == (column.name,) else ():
            body = {"arguments": arguments} if arguments else {}
            key = json.dumps([kind, arguments])
            if row_rule and row_rule.severity == "error":
                found[key] = kind, body
            else:
                found.setdefault(key, (kind, body | {"config": {"severity": "warn"}}))
    return [{kind: body} if body else kind for kind, body in found.values()]


def _as_row_rule(rule: Rule) -> Rule | None:
    """Return the row rule behind a rule; for a metric the rule whose violations it counts, when it allows none."""
    if rule.kind == "measure":
        return rule.counts if any(limit in _ZERO for limit in rule.limits) else None
    return rule


def _test(rule: Rule, names: Mapping[str, str]) -> Iterator[tuple[str, Properties]]:
    if rule.kind == "required":
        yield "not_null", {}
    elif rule.kind == "unique":
        yield "unique", {}
    elif rule.kind == "enum" and isinstance(rule.argument, tuple):
        texts = [value for value in rule.argument if isinstance(value, str)]
        if not texts:
            yield "accepted_values", {"values": list(rule.argument), "quote": False}
        elif len(texts) == len(rule.argument):  # dbt puts quotes around a text, and leaves those inside as they are
            yield "accepted_values", {"values": [escape_jinja(text.replace("'", "''")) for text in texts]}
    elif rule.kind == "relationship":
        table, _, field = str(rule.argument).partition(".")
        if table in names:
            yield "relationships", {"to": names[table], "field": identifier(field) if _must_be_quoted(field) else field}


def _must_be_quoted(name: str) -> bool:
    return not re.fullmatch(r"[a-z_][a-z0-9_]*", name.lower()) or name.lower() in _keywords()


@lru_cache(maxsize=1)
def _keywords() -> frozenset[str]:
    """Return the words that DuckDB does not take for a column name, at least in some places."""
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(word for (word,) in found)
