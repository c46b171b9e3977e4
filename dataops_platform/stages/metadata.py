"""Metadata of an asset on Dagster's pages: plain values, tables, columns and pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from dataops_platform.contracts.contract import Contract
from dataops_platform.manifests.manifest import Manifest, Verdict
from dataops_platform.manifests.profile import merged_profile
from dataops_platform.stages.rule_checks import said_of
from dataops_platform.stages.step import COLUMNS_READ, EXPOSURES, Makes, Outcome
from dataops_platform.stages.tags import column_tags

Metadata = Mapping[str, dg.MetadataValue[Any]]

MOST_PLOTS = 60
"""The number of rules that are drawn over time. Dagster draws 100 numbers of one check and cuts the rest off
silently."""
MOST_PLOTS_EVER = 90
"""The same, with failing rules that are not among the first `MOST_PLOTS`."""


def definition_metadata(made: Makes) -> Metadata:
    """Return what is known of an asset before it is made."""
    known: dict[str, dg.MetadataValue[Any]] = {}
    if made.columns_read:
        known[COLUMNS_READ] = dg.MetadataValue.json({table: list(names) for table, names in made.columns_read.items()})
    if made.exposures:
        known[EXPOSURES] = dg.MetadataValue.json([dict(exposure) for exposure in made.exposures])
    return {**known, **(contract_metadata(made.contract) if made.contract else {})}


def contract_metadata(contract: Contract) -> Metadata:
    """Return what a contract says of an asset: its columns, and which contract it is."""
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(_schema(contract)),
        "contract": dg.MetadataValue.text(f"{contract.id} {contract.version}"),
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
                    other=[said_of(r) for r in contract.rules if r.columns == (column.name,) and r.kind not in _PLAIN],
                ),
                tags=column_tags(column),
            )
            for column in contract.columns
        ]
    )


_PLAIN = ("type", "required", "unique", "expression")


def outcome_metadata(outcome: Outcome) -> Metadata:
    """Return what a step did to an asset."""
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
    profile = merged_profile([m.details for m in outcome.manifests])
    if profile:
        shown["profile"] = table_of(
            [row | {k: "" if row[k] is None else str(row[k]) for k in ("minimum", "maximum")} for row in profile]
        )
    if outcome.refused_sample:
        shown["refused_rows"] = table_of(outcome.refused_sample)
    shown |= {name: _value(value) for name, value in outcome.shown.items() if name != "digest"}
    shown |= {name: _picture(name, data) for name, data in outcome.pictures.items()}
    return shown


def verdict_metadata(contract: Contract, verdicts: Sequence[Verdict]) -> Metadata:
    """Return the verdicts on a contract's rules: a table, failing rules first, and numbers that are drawn over time."""
    if not verdicts:
        return {}
    descriptions = {rule.name: rule.description for rule in contract.rules}
    rows = [
        {
            "rule": v.rule,
            "severity": v.severity,
            "failing_rows": v.failing_rows,
            "measured": "" if v.measured is None else f"{v.measured:g}",
            "meaning": descriptions.get(v.rule, ""),
        }
        for v in sorted(verdicts, key=_failing_first)
    ]
    return {
        "rules": table_of(rows),
        "failing_rows": dg.MetadataValue.int(sum(v.failing_rows for v in verdicts)),
        "contract": dg.MetadataValue.text(f"{contract.id} {contract.version}"),
        **plotted(contract, verdicts),
    }


def _failing_first(verdict: Verdict) -> bool:
    return not verdict.failing_rows


def plotted(contract: Contract, verdicts: Sequence[Verdict]) -> Metadata:
    """Return numbers that Dagster draws over time, one line a rule: `measured: <rule>`, else `failing_rows: <rule>`.

    The rules are the same each time, so that no line has gaps. Of a contract with more than `MOST_PLOTS` rules, those
    about types are left out first. A failing rule is drawn whatever its rank, up to `MOST_PLOTS_EVER`.
    """
    kinds = {rule.name: rule.kind for rule in contract.rules}
    ranked = sorted(verdicts, key=lambda v: kinds.get(v.rule) == "type")
    drawn = [v for place, v in enumerate(ranked) if place < MOST_PLOTS or v.failing_rows][:MOST_PLOTS_EVER]
    return dict(_plot(v) for v in drawn)


def _plot(verdict: Verdict) -> tuple[str, dg.MetadataValue[Any]]:
    if verdict.measured is not None:
        return f"measured: {verdict.rule}", dg.MetadataValue.float(verdict.measured)
    return f"failing_rows: {verdict.rule}", dg.MetadataValue.int(verdict.failing_rows)


def partition_metadata(outcome: Outcome) -> dict[str, Metadata]:
    """Return what a step did to each partition, which Dagster draws by partition.

    The rules drawn are those that measured a number or failed in any partition, at most `MOST_PLOTS`.
    """
    verdicts = [v for m in outcome.manifests for v in m.verdicts if v.failing_rows or v.measured is not None]
    drawn = list(dict.fromkeys(v.rule for v in verdicts))[:MOST_PLOTS]
    return {m.partition: _partition(m, drawn) for m in outcome.manifests if m.partition}


def _partition(manifest: Manifest, drawn: Sequence[str]) -> Metadata:
    return {
        "partition_rows_in": dg.MetadataValue.int(manifest.rows_in),
        "partition_rows_audited": dg.MetadataValue.int(manifest.rows_audited),
        "partition_rows_refused": dg.MetadataValue.int(manifest.rows_refused),
        **dict(_plot(v) for v in manifest.verdicts if v.rule in drawn),
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
    """Return records, at least one, as a table."""
    columns = [dg.TableColumn(name, _column_type(value)) for name, value in rows[0].items()]
    records = [dg.TableRecord({k: "" if v is None else v for k, v in row.items()}) for row in rows]
    return dg.MetadataValue.table(records, dg.TableSchema(columns=columns))


def _column_type(value: Any) -> str:
    return {bool: "bool", int: "int", float: "float"}.get(type(value), "string")


def _picture(name: str, png: bytes) -> dg.MetadataValue[Any]:
    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})")
