"""What Dagster's pages show of an asset: plain values, tables, columns and pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from dataops_platform.contracts.contract import Contract, Rule
from dataops_platform.manifests.manifest import Verdict
from dataops_platform.stages.step import COLUMNS_READ, EXPOSURES, Makes, Outcome

Metadata = Mapping[str, dg.MetadataValue[Any]]


def definition_metadata(made: Makes) -> Metadata:
    """What is known of an asset before it is made."""
    known: dict[str, dg.MetadataValue[Any]] = {}
    if made.columns_read:
        known[COLUMNS_READ] = dg.MetadataValue.json({table: list(names) for table, names in made.columns_read.items()})
    if made.exposures:
        known[EXPOSURES] = dg.MetadataValue.json([dict(exposure) for exposure in made.exposures])
    if made.contract is None:
        return known
    return known | {
        "dagster/column_schema": dg.MetadataValue.table_schema(_schema(made.contract)),
        "contract": dg.MetadataValue.text(f"{made.contract.id} {made.contract.version}"),
    }


def _schema(contract: Contract) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.sql_type,
                description=column.description or None,
                constraints=dg.TableColumnConstraints(
                    nullable=not column.required,
                    unique=column.unique or contract.primary_key == (column.name,),
                    other=[_told(r) for r in contract.rules if r.columns == (column.name,) and r.kind not in _PLAIN],
                ),
            )
            for column in contract.columns
        ]
    )


_PLAIN = ("type", "required", "unique", "expression")


def _told(rule: Rule) -> str:
    argument = ", ".join(map(str, rule.argument)) if isinstance(rule.argument, tuple) else rule.argument
    return f"{rule.kind.replace('_', ' ')} {argument}"


def outcome_metadata(outcome: Outcome) -> Metadata:
    """What a step did."""
    shown: dict[str, dg.MetadataValue[Any]] = {
        "digest": dg.MetadataValue.text(outcome.digest),
        "unchanged": dg.MetadataValue.bool(outcome.unchanged),
    }
    if outcome.manifests:
        shown |= {
            "dagster/row_count": dg.MetadataValue.int(outcome.rows_audited),
            "rows_in": dg.MetadataValue.int(outcome.rows_in),
            "rows_refused": dg.MetadataValue.int(outcome.rows_refused),
            "manifest": dg.MetadataValue.text(outcome.manifests[-1].id),
        }
    if outcome.refused_sample:
        shown["refused_rows"] = table_of(outcome.refused_sample)
    shown |= {name: _value(value) for name, value in outcome.shown.items() if name != "digest"}
    shown |= {name: _picture(name, data) for name, data in outcome.pictures.items()}
    return shown


def verdict_metadata(made: Makes, verdicts: Sequence[Verdict]) -> Metadata:
    """Each rule of a contract with its failing rows."""
    if made.contract is None or not verdicts:
        return {}
    descriptions = {rule.name: rule.description for rule in made.contract.rules}
    rows = [
        {
            "rule": v.rule,
            "severity": v.severity,
            "failing_rows": v.failing_rows,
            "meaning": descriptions.get(v.rule, ""),
        }
        for v in verdicts
    ]
    return {
        "rules": table_of(rows),
        "failing_rows": dg.MetadataValue.int(sum(v.failing_rows for v in verdicts)),
        "contract": dg.MetadataValue.text(f"{made.contract.id} {made.contract.version}"),
    }


def _value(value: Any) -> dg.MetadataValue[Any]:
    if isinstance(value, list) and value and isinstance(value[0], Mapping):
        return table_of(value)
    if isinstance(value, bool):
        return dg.MetadataValue.bool(value)
    if isinstance(value, int):
        return dg.MetadataValue.int(value)
    if isinstance(value, str):
        return dg.MetadataValue.text(value)
    return dg.MetadataValue.json(value)


def table_of(rows: Sequence[Mapping[str, Any]]) -> dg.MetadataValue[Any]:
    """Records as a table."""
    columns = [dg.TableColumn(name, _column_type(value)) for name, value in rows[0].items()]
    records = [dg.TableRecord({k: "" if v is None else v for k, v in row.items()}) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))


def _column_type(value: Any) -> str:
    return {bool: "bool", int: "int", float: "float"}.get(type(value), "string")


def _picture(name: str, png: bytes) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})")
