"""Decisions about refused rows, in a file beside the contract, so that they are reviewed and repeated like code.

A run of the table takes in a released row although it breaks its rules. A dropped row stays refused and is no longer
shown. A row is identified by its file and its content: it may move to another line, and equal rows of a file share a
decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dataops_platform.contracts.engine import BROKEN, Judgement
from dataops_platform.kit.digests import digest_of, short
from dataops_platform.kit.errors import Refused, UsedWrongly, did_you_mean
from dataops_platform.kit.relation import data_columns_of
from dataops_platform.kit.sql import identifier
from dataops_platform.kit.text_file import write_text
from dataops_platform.kit.validation import StrictModel, validate
from dataops_platform.kit.yaml_file import read_yaml
from dataops_platform.settings.project import Project
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.staging import quarantine_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEVER = ("type", "required", "primary_key", "unique", "function")
"""Rules that a released row may not break: there would be no value, two rows with one key, or no row at all."""


class Decision(StrictModel):
    """A decision about one row: what, by whom and why."""

    row: str
    decision: Literal["release", "drop"]
    file: str
    line: int
    by: str
    why: str


class Decisions(StrictModel):
    """The content of `contracts/<table>.quarantine.yaml`."""

    rows: list[Decision] = []


@dataclass(frozen=True)
class RefusedRow:
    """A row in quarantine, and the decision about it (empty: none yet)."""

    row: str
    file: str
    line: int
    rules: tuple[str, ...]
    raw: str
    contract: str
    run_id: str
    decision: str = ""


def decisions_file(project: Project, table: str) -> Path:
    """Return the file of the decisions about a table's refused rows."""
    return project.root / "contracts" / f"{table}.quarantine.yaml"


def decisions_of(project: Project, table: str) -> list[Decision]:
    """Return the decisions about a table's refused rows. Raises: UsedWrongly for a file with other content."""
    path = decisions_file(project, table)
    return validate(Decisions, read_yaml(path)).rows if path.exists() else []


def row_id(file: str, raw: str) -> str:
    """Return the identity of a refused row."""
    return short(digest_of([file, raw]))


def refused_rows(project: Project, lake: Lake, table: str) -> list[RefusedRow]:
    """Return the rows in quarantine by file and line. Raises: UsedWrongly DP-C022 for a table without a quarantine."""
    relation = f"lake.{identifier(project.build_schema)}.{identifier(quarantine_table(table))}"
    known = lake.connection.execute(
        "select table_name from duckdb_tables() where database_name = 'lake' and schema_name = "
        f"'{project.build_schema}' and ends_with(table_name, '__quarantine')"
    ).fetchall()
    if (quarantine_table(table),) not in known:
        names = [name.removesuffix(quarantine_table("")) for (name,) in known]
        raise UsedWrongly("DP-C022", environment=project.environment, table=table, hint=did_you_mean(table, names))
    decided = {d.row: d.decision for d in decisions_of(project, table)}
    rows = lake.connection.execute(
        f"select _dp_file, _dp_line, rules, raw, contract, run_id from {relation} order by _dp_file, _dp_line"
    ).fetchall()
    return [
        RefusedRow(key, file, line, tuple(rules), raw, contract, run, decided.get(key, ""))
        for file, line, rules, raw, contract, run in rows
        if (key := row_id(file, raw))
    ]


def decide(
    project: Project,
    rows: Sequence[RefusedRow],
    table: str,
    decision: Literal["release", "drop"],
    *,
    by: str,
    why: str,
) -> Path:
    """Write a decision about rows, in place of earlier decisions about them. Return the file.

    Raises: Refused DP-C023 for the release of a row that breaks a rule which no released row may break.
    """
    import yaml

    for row in rows if decision == "release" else ():
        never = [rule for rule in row.rules if _never(rule)]
        if never:
            raise Refused("DP-C023", file=row.file, line=row.line, rule=never[0])
    named = {row.row for row in rows}
    kept = [d for d in decisions_of(project, table) if d.row not in named]
    new = [
        Decision(row=key, decision=decision, file=r.file, line=r.line, by=by, why=why)
        for key, r in {r.row: r for r in reversed(rows)}.items()
    ]
    path = decisions_file(project, table)
    ordered = sorted([*kept, *new], key=lambda d: (d.file, d.line))
    text = yaml.safe_dump({"rows": [d.model_dump() for d in ordered]}, sort_keys=False, allow_unicode=True)
    write_text(path, text)
    return path


def release_rows(judged: Judgement, given: str, decisions: Sequence[Decision]) -> None:
    """Split the rows, and let released ones pass. `given` is the relation of the rows as they came in."""
    connection, released = judged.connection, {d.row for d in decisions if d.decision == "release"}
    if not released:
        return
    judged.split()
    refused = quarantined(connection, given)
    rows = connection.execute(f"select _dp_file, _dp_line, raw, rules from ({refused})").fetchall()
    judged.release(
        [(f, n) for f, n, text, rules in rows if row_id(f, text) in released and not any(map(_never, rules))]
    )


def quarantined(connection: DuckDBPyConnection, given: str, partition: str = "''") -> str:
    """Return SQL of the refused rows after a split: their source position, rules, and values as they came in.

    `given` is the relation of the rows as they came in, `partition` SQL of the partition of a refused row.
    """
    values = ", ".join(f"{identifier(name)} := i.{identifier(name)}" for name in data_columns_of(connection, given))
    return (
        f"select {partition} as _dp_partition, s._dp_file, s._dp_line, s._dp_rules as rules, "
        f"to_json(struct_pack({values}))::varchar as raw "
        f"from {BROKEN} s join {given} i using (_dp_file, _dp_line) where s._dp_rules is not null"
    )


def _never(rule: str) -> bool:
    return rule.partition(": ")[0].rpartition(":")[2] in _NEVER


def as_shown(rows: Sequence[RefusedRow]) -> list[dict[str, Any]]:
    """Return rows in quarantine as records for people."""
    return [
        {
            "row": r.row,
            "file": r.file,
            "line": r.line,
            "rules": ", ".join(r.rules),
            "raw": r.raw,
            "decision": r.decision,
        }
        for r in rows
    ]
