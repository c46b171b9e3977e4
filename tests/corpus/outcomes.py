"""What commands and lakes say, in the words of the corpus: the only module here that knows the platform's own names.

Where a field, a word or a code of the platform is named anew, it is translated here and no expected file changes.
Messages, times, paths, runs and snapshot numbers are left out; digests and ids become names.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dagster import DagsterInstance
from duckdb import DuckDBPyConnection
from typer.main import get_command

from dataops_platform.kit.record import plain_of
from dataops_platform.manifests.cut import Member
from dataops_platform.manifests.events import Event, Move
from dataops_platform.manifests.manifest import Head, Manifest
from dataops_platform.orchestration import instance
from dataops_platform.settings.project import load_project
from dataops_platform.warehouse import attach
from dataops_platform.warehouse.canonical import canonical
from dataops_platform.warehouse.digest import digests
from dataops_platform.warehouse.lake import Lake
from dataops_platform.warehouse.open import attached_once, lake_of
from tests.corpus.names import name
from tests.fixtures.command_line import Said, run_dataops

Plain = dict[str, Any]

CODES = {
    "DP-E011": "DP-E003",  # an empty file
    "DP-L071": "DP-L003",  # the environment before shows no release
    "DP-L074": "DP-L010",  # the same plan was carried out already
    "DP-L076": "DP-L011",  # no publication before this one
    "DP-R008": "DP-R007",  # no release was ever promoted
}
"""The code a refusal had when the expected files were written, by the one it has now; equal where it is not listed."""

TEXTS = frozenset({"at", "changes", "problem", "problems", "run", "message", "verdict", "versions"})
"""Keys of gates' evidence that hold messages or times."""

DIGEST = re.compile(r"sha256:[0-9a-f]+…?")
LONG_FRACTION = re.compile(r"\b\d+\.\d{7,}(e[+-]\d+)?")


_command_line = cache(get_command)


@contextmanager
def cheap_commands() -> Iterator[None]:
    """What costs much and decides nothing is done once for all commands in it, or not at all.

    They share one attached lake of one thread, and Dagster's runs are kept in memory.
    """
    with (
        patch.dict(attach.OPTIONS, {"allow_unsigned_extensions": True, "threads": 1}),
        attached_once(),
        DagsterInstance.ephemeral() as runs,
        patch.object(instance, "open_instance", lambda _: nullcontext(runs)),
        patch("typer.testing._get_command", _command_line),
    ):
        yield


def ask(project: Path, actor: str, *arguments: str) -> Said:
    """Runs `dataops ARGUMENTS --json`."""
    with patch.dict(os.environ, {"DATAOPS_ACTOR": actor}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dagster's and MLflow's, of their own beginnings
        return run_dataops(project, *arguments, "--json")


def outcome(arguments: Iterable[str], said: Said) -> Plain:
    """The exit status, the codes of what was refused, and what the command gave."""
    given = said.json
    found: Plain = {"exit": said.exit_code}
    if isinstance(given, dict) and "error" in given:
        return {**found, "refused": [_code(given["error"]["code"])]}
    if isinstance(given, dict) and given.get("failures"):
        found["refused"] = [_code(failure["code"]) for failure in given["failures"]]
    words = " ".join(arguments)
    read = next(read for start, read in READERS.items() if words.startswith(start))
    return {**found, "gives": read(given)}


def shown(project: Path, environment: str) -> tuple[Plain, list[Plain]]:
    """What an environment shows, and the rows of each table; read as a consumer reads it, from the environment's views.

    A row is the text of its record, in the order of these texts.
    """
    with _lake(project, environment) as lake:
        state = lake.state(environment)
        heads = lake.shown_heads(environment)
        members = {member.name: _member(member, heads[member.name]) for member in state.cut.members}
        tables = [_shown_rows(lake, environment, member) for member in state.cut.members if member.kind == "table"]
    return {
        "release": name("release", state.release),
        "publication": name("publication", state.publication),
        "held": state.held,
        "members": members,
    }, tables


def built(project: Path, environment: str) -> Plain:
    """The heads of a build area: how many rows came in, were refused and were audited, by which rules, made of what."""
    with _lake(project, environment) as lake:
        return {head.name: _head(head) for head in lake.heads(environment).values()}


def standing(project: Path, environment: str, table: str) -> Plain:
    """The rows of a table as it stands in the build area, whatever is recorded of it."""
    with _lake(project, environment) as lake:
        return _rows(lake, f'{environment}__build."{table}"')


def ledgers(project: Path, environments: Iterable[str]) -> dict[str, list[Plain]]:
    """The events of environments, oldest first; also of one that was dropped."""
    with _lake(project, "dev") as lake:
        return {
            name: [_event(plain_of(event), _took(lake, event)) for event in lake.events(name)] for name in environments
        }


def registry(project: Path) -> Plain:
    """Registered models: their versions in order, by content, and where their aliases point."""
    from dataops_platform.technologies.mlflow.registry import DIGEST_TAG
    from dataops_platform.technologies.mlflow.tracking import open_tracking

    client = open_tracking(load_project(project)).client
    return {
        model.name: {
            "aliases": {
                alias: int(number) for alias, number in client.get_registered_model(model.name).aliases.items()
            },
            "versions": {
                int(version.version): name("model", version.tags[DIGEST_TAG])
                for version in client.search_model_versions(f"name = '{model.name}'")
            },
        }
        for model in client.search_registered_models()
    }


def content_of(connection: DuckDBPyConnection, select: str) -> str:
    """The digest of the rows of a query."""
    return str(digests(connection, f"({select})", [""])[""])


def canonical_rows(connection: DuckDBPyConnection, select: str) -> list[dict[str, str]]:
    """The rows of a query as plans compare them: the text of each column, equal for equal values; in no order."""
    described = connection.execute(f"describe {select}").fetchall()
    columns = {column: canonical(column, kind) for column, kind, *_ in described if not column.startswith("_dp_")}
    rows = connection.execute(f"select {', '.join(columns.values())} from ({select})").fetchall()
    return sorted((dict(sorted(zip(columns, row, strict=True))) for row in rows), key=str)


def _lake(project: Path, environment: str) -> Lake:
    return lake_of(load_project(project, environment))


def _code(code: str) -> str:
    return CODES.get(code, code)


def _member(member: Member, head: Head) -> Plain:
    digest = name("model" if member.kind == "model" else "content", member.digest)
    contract = name("terms", member.contract) if member.kind == "table" else None
    return {
        "kind": member.kind,
        "content": digest,
        "contract": contract,
        "rows": member.rows,
        "windows": sorted(head.partitions),
        "built_in": member.area,
    }


def _shown_rows(lake: Lake, environment: str, member: Member) -> Plain:
    return {"content": name("content", member.digest), **_rows(lake, f'{environment}."{member.name}"')}


def _rows(lake: Lake, table: str) -> Plain:
    found = lake.connection.execute(f"select typeof(t), t::varchar from lake.{table} as t").fetchall()
    return {"type": found[0][0] if found else None, "rows": sorted(_stable(text) for _, text in found)}


def _stable(text: str) -> str:
    """The text of values with long fractions to six digits, more is a processor's own, and no digests."""
    return LONG_FRACTION.sub(lambda number: f"{float(number[0]):.6g}", DIGEST.sub("(digest)", text))


def _head(head: Head) -> Plain:
    first = head.manifests[0]
    scores = first.details.get("scores", [])
    return {
        "stage": first.stage,
        "content": name("model" if head.kind == "model" else "content", head.digest),
        "rules": list(dict.fromkeys(f"{v.rule} ({v.severity})" for m in head.manifests for v in m.verdicts)),
        "windows": {key or "whole": _window(manifest, head.kind) for key, manifest in head.partitions.items()},
        **({"scores": _true(scores)} if head.kind == "model" else {}),
    }


def _window(manifest: Manifest, kind: str) -> Plain:
    counts = {"in": manifest.rows_in, "refused": manifest.rows_refused, "audited": manifest.rows_audited}
    return {
        **({"content": name("content", manifest.digest)} if kind == "table" else {}),
        "rows": counts,
        "judged": len(manifest.verdicts),
        "broken": {verdict.rule: verdict.failing_rows for verdict in manifest.verdicts if verdict.failing_rows},
        "measured": {v.rule: _true(v.measured) for v in manifest.verdicts if v.measured is not None},
        "contract": manifest.contract_version,
        "inputs": {f"{ref.name} {ref.partition}".strip(): name("input", ref.digest) for ref in manifest.step.inputs},
    }


def _took(lake: Lake, event: Event) -> Plain:
    return {"took": [member.name for member in lake.cut(event).members]} if isinstance(event, Move) else {}


def _event(event: Mapping[str, Any], took: Mapping[str, Any]) -> Plain:
    """An event: its place, what it did, and what stands after it. `took` are the members of the cut it showed."""
    digests = {
        **dict.fromkeys(("release", "built", "refused", "approved"), "release"),
        "publication": "publication",
        "plan": "plan",
        "code": "code",
    }
    named = {key: name(digests[key], event[key]) for key in digests if event.get(key)}
    if event["kind"] == "rollback":
        named["from"] = name("release", event["before"])
    plain = {key: event[key] for key in ("to", "back", "by", "why") if key in event}
    if event["kind"] == "creation":
        plain["from"] = event["origin"]
    gates = {"gates": {gate["gate"]: gate["verdict"] for gate in event["gates"]}} if "gates" in event else {}
    always = {"kind": event["kind"], "event": event["sequence"], "pointer": event["pointer"], "held": event["held"]}
    return {**always, "actor": event.get("actor", ""), **named, **plain, **gates, **took}


def _run(given: Plain) -> Plain:
    return {
        "succeeded": given["success"],
        "publication": name("publication", given["publication"]),
        "tables": {
            table["table"]: {
                **{key: table[key] for key in ("stage", "refused", "audited", "published")},
                "in": table["rows_in"],
                "content": name("content", table["digest"]),
            }
            for table in given["tables"]
        },
        "models": {
            model["model"]: {"version": int(model["version"]), "content": name("model", model["digest"])}
            for model in given["models"]
        },
    }


def _release(given: Plain) -> Plain:
    contents, located = given["contents"], given["locators"]
    return {
        "release": name("release", given["id"]),
        "dirty": contents["is_dirty"],
        "project": contents["project"],
        **{key: name(key, contents[key]) for key in ("commit", "code", "lock", "dbt", "config", "publication")},
        "contracts": {table: name("contract", digest) for table, digest in contents["contracts"].items()},
        "contract_versions": located["contract_versions"],
        "tables": {table: name("content", digest) for table, digest in contents["tables"].items()},
        "models": {model: name("model", digest) for model, digest in contents["models"].items()},
        "built": [located["built_in"], located["built_by"]],
    }


def _plan(given: Plain) -> Plain:
    sections = {section: _section(found) for section, found in given["differences"].items()}
    return {
        "plan": name("plan", given["id"]),
        "environment": given["environment"],
        "release": name("release", given["release"]),
        "before": name("release", given["before"]),
        "pointer": given["pointer"],
        "passes": given["passes"],
        "gates": {
            answer["gate"]: {"answer": answer["verdict"], "evidence": _true(answer["evidence"])}
            for answer in given["answers"]
        },
        "differences": {section: found for section, found in sections.items() if found},
    }


def _section(found: Plain) -> Plain:
    """The records of a section, and the lines that its diff adds and takes away."""
    leave_out = {"commit", "at", "change", "note", "digest", "message"} if "hit" not in found else {"change", "message"}
    lists = {
        key: [{k: _true(v) for k, v in record.items() if k not in leave_out} for record in records]
        for key, records in found.items()
        if isinstance(records, list)
    }
    lines = [line for line in found.get("diff", "").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return {**lists, **({"lines": lines} if lines else {})}


def _moved(given: Plain) -> Plain:
    followed = given.get("reconcile")
    done = {"follows": not followed["failed"]} if followed else {}
    return {**_event(given, {}), **done}


def _quarantine(given: Plain) -> list[Plain]:
    kept = ("file", "line", "rules", "raw", "contract", "decision")
    return [{"row": name("row", row["row"]), **{key: row[key] for key in kept}} for row in given["rows"]]


def _diff(given: Plain) -> Plain:
    return {
        "passes": given["passes"],
        "contracts": {
            one["name"]: {
                "level": one["level"],
                "changes": [[change["level"], change["column"]] for change in one["changes"]],
                "hits": [[hit["name"], hit["kind"], hit["through"]] for hit in one["hits"]],
            }
            for one in given["contracts"]
        },
    }


def _environments(given: list[Plain]) -> Plain:
    return {
        one["environment"]: {
            **{key: one[key] for key in ("kind", "from", "held")},
            **{key: name(key, one[key]) for key in ("release", "publication")},
        }
        for one in given
    }


def _created(given: Plain) -> Plain:
    return {**given, "publication": name("publication", given["publication"])}


def _same(given: Any) -> Any:
    return given


def _decided(given: Plain) -> Plain:
    return {**given, "rows": [name("row", row) for row in given["rows"]]}


def _approved(given: Plain) -> Plain:
    return {"plan": name("plan", given["plan"]), "by": given["by"], "signed": given["is_signed"]}


def _verified(given: list[Plain]) -> Plain:
    return {one["environment"]: {key: one[key] for key in ("events", "anchored", "faults")} for one in given}


def _true(value: Any) -> Any:
    """Evidence without messages and digests; commits as names, fractions to six digits."""
    if isinstance(value, dict):
        named = {"commit": name("commit", value["commit"])} if "commit" in value else {}
        return {**{key: _true(one) for key, one in value.items() if key not in TEXTS}, **named}
    if isinstance(value, list):
        return [_true(one) for one in value]
    if isinstance(value, str):
        return _stable(value)
    return float(f"{value:.6g}") if isinstance(value, float) else value


READERS: dict[str, Callable[[Any], Any]] = {
    "run": _run,
    "release build": _release,
    "plan": _plan,
    "approve": _approved,
    **dict.fromkeys(("promote", "rollback", "resume"), _moved),
    "ledger verify": _verified,
    "contracts quarantine show": _quarantine,
    "contracts quarantine": _decided,
    "contracts diff": _diff,
    "env list": _environments,
    "env create": _created,
    "env drop": _same,
}
"""How the JSON of a command is read, by the words it starts with."""
