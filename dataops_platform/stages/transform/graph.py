"""The models of a dbt project as plain records, cached so that dbt does not parse an unchanged project again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dataops_platform.kit.digests import digest_of, digest_of_files
from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.text_file import write_text
from dataops_platform.settings.project import Project
from dataops_platform.stages.transform.dbt_run import parse_dbt
from dataops_platform.stages.transform.profile import DbtPaths, write_profile

_IGNORED = frozenset({"target", "logs", "dbt_packages", ".user.yml"})
_TABLES = frozenset({"table", "incremental", "seed", "snapshot"})


@dataclass(frozen=True)
class DbtModel:
    """A table that dbt makes: its name, what it reads (models and sources, by table name) and the ids of its tests.

    `columns` are pairs of a name and a description.
    """

    name: str
    unique_id: str
    description: str
    columns: tuple[tuple[str, str], ...]
    reads: tuple[str, ...]
    tests: tuple[str, ...]
    owner: str = ""
    tags: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """The words of its SQL (with that of ephemeral models it reads), in lower case; `*` where it takes all columns."""
    names_its_columns: bool = False
    """Whether each of its columns must be among those words: plain SQL to which neither a star nor Jinja adds
    columns."""
    described_in: str = ""
    """The YAML file that describes it, relative to the dbt project; a file of a package starts with the package's name
    and `://`."""
    types: tuple[tuple[str, str], ...] = ()
    """Its columns in that file, each with its data type, which is empty where none is given."""
    accepted: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """The values that an accepted_values test allows, for each column that has one."""


@dataclass(frozen=True)
class DbtExposure:
    """A reader outside of tables that dbt makes or reads: a dashboard, a notebook, an application."""

    name: str
    kind: str
    owner: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class DbtGraph:
    """All tables of a dbt project in the order dbt can build them, the sources they start from, and who reads them."""

    digest: str
    models: tuple[DbtModel, ...]
    sources: tuple[str, ...]
    exposures: tuple[DbtExposure, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    """dbt's reference to each table that it makes or reads, by table: `ref('orders')`, `source('clean', 'orders')`."""


def read_graph(project: Project, folder: Path) -> DbtGraph:
    """Return the graph of the dbt project in `folder`. dbt parses it only when one of its files, or dbt, has changed.

    Raises: UsedWrongly DP-D001 when there is no dbt project, DP-D002 when dbt cannot parse it, DP-D003 for a model that
    is a view, DP-D006 for one in a schema of its own.
    """
    from filelock import FileLock

    if not (folder / "dbt_project.yml").is_file():
        raise UsedWrongly("DP-D001", folder=folder.name, project=project.root.name)
    paths = DbtPaths(project, folder)
    digest = digest_of([digest_of_files(folder, _files(folder)), version("dbt-core"), version("dbt-duckdb")])
    cached = _read_cache(paths.graph)
    if cached is not None and cached.digest == digest and paths.manifest.exists():
        return cached
    write_profile(project, paths)
    with FileLock(paths.home / "parse.lock"):
        parse_dbt(paths)
        manifest = json.loads(paths.manifest.read_text())
        _refuse_other_schemas(manifest, project.build_schema)
        graph = graph_of(manifest, digest)
        write_text(paths.graph, json.dumps(asdict(graph)))
    return graph


def graph_of(manifest: Mapping[str, Any], digest: str) -> DbtGraph:
    """Return the graph in a dbt manifest.

    An ephemeral model is no table; models that read it have its inputs.

    Raises: UsedWrongly DP-D003 for a model that is a view.
    """
    nodes = {k: n for k, n in manifest["nodes"].items() if n["resource_type"] in ("model", "seed", "snapshot")}
    nodes = {k: n for k, n in nodes.items() if n["config"].get("enabled", True)}
    tables = {k: n for k, n in nodes.items() if n["config"]["materialized"] in _TABLES}
    for node in nodes.values():
        kind = node["config"]["materialized"]
        if kind not in _TABLES | {"ephemeral"}:
            raise UsedWrongly("DP-D003", model=node["name"], materialized=kind, file=node["original_file_path"])
    tests: dict[str, dict[str, Mapping[str, Any]]] = {key: {} for key in tables}
    for key, node in manifest["nodes"].items():
        if node["resource_type"] == "test" and node.get("attached_node") in tests:
            tests[node["attached_node"]][key] = node
    models = [
        DbtModel(
            name=node["alias"] if "alias" in node else node["name"],
            unique_id=key,
            description=node.get("description", ""),
            columns=tuple((c["name"], c.get("description", "")) for c in node["columns"].values()),
            reads=tuple(sorted(set(_reads(node, nodes, manifest["sources"])))),
            tests=tuple(sorted(tests[key])),
            owner=str(node["config"].get("meta", {}).get("owner", "")),
            tags=tuple(node.get("tags", ())),
            words=_words(node, nodes),
            names_its_columns=_names_its_columns(node),
            described_in=(node.get("patch_path") or "").removeprefix(f"{manifest['metadata']['project_name']}://"),
            types=tuple((c["name"], c.get("data_type") or "") for c in node["columns"].values()),
            accepted=tuple(_accepted(tests[key].values())),
        )
        for key, node in sorted(tables.items())
    ]
    ordered = _in_build_order(models)
    names = {m.name for m in models}
    exposures = tuple(
        DbtExposure(
            exposure["name"],
            exposure["type"],
            exposure["owner"].get("name") or exposure["owner"].get("email") or "",
            tuple(sorted(set(_reads(exposure, nodes, manifest["sources"])))),
        )
        for exposure in manifest.get("exposures", {}).values()
    )
    read = tuple(sorted({r for m in models for r in m.reads} - names))
    return DbtGraph(digest, ordered, read, exposures, tuple(_names(tables, manifest["sources"]).items()))


def _refuse_other_schemas(manifest: Mapping[str, Any], schema: str) -> None:
    """Refuse models that dbt would write outside the build area, where nothing is audited, published or restored.

    A custom schema does that, unless the project's own macro `generate_schema_name` ignores it.
    """
    for node in manifest["nodes"].values():
        made = node["resource_type"] in ("model", "seed", "snapshot") and node["config"].get("enabled", True)
        if not made or node["config"]["materialized"] not in _TABLES:
            continue
        if (node["database"], node["schema"]) != ("lake", schema):
            raise UsedWrongly(
                "DP-D006",
                model=node["name"],
                found=f"{node['database']}.{node['schema']}",
                wanted=f"lake.{schema}",
                file=node["original_file_path"],
            )


def _names(tables: Mapping[str, Any], sources: Mapping[str, Any]) -> dict[str, str]:
    found = {s["identifier"]: f"source('{s['source_name']}', '{s['name']}')" for _, s in sorted(sources.items())}
    for _, node in sorted(tables.items()):
        version = f", v={node['version']}" if node.get("version") else ""
        found[node.get("alias") or node["name"]] = f"ref('{node['name']}'{version})"
    return found


def _accepted(tests: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, tuple[Any, ...]]]:
    for test in tests:
        metadata = test.get("test_metadata") or {}
        if metadata.get("name") == "accepted_values" and test.get("column_name"):
            yield test["column_name"].strip('"'), tuple(metadata["kwargs"].get("values", ()))


def _names_its_columns(node: Mapping[str, Any]) -> bool:
    code = re.sub(r"{{\s*(ref|source|config)\([^{}]*\)\s*}}|count\(\s*\*\s*\)", " ", _code(node))
    adding = r"\*|{{|{%|^\s*from|\(\s*from|\b(columns|pivot|unpivot|unnest|table|describe|summarize)\b"
    return node.get("language") == "sql" and "select" in code and not re.search(adding, code)


def _code(node: Mapping[str, Any]) -> str:
    return re.sub(r"(?s)--[^\n]*|/\*.*?\*/|{#.*?#}", " ", str(node.get("raw_code", "")).lower())


def _words(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> tuple[str, ...]:
    code = _code(node)
    found = set(re.findall(r"[a-z_][a-z0-9_]*", code))
    if re.search(r"(select|,|\.)\s*\*", code) or "from" not in found:
        found.add("*")
    for key in node.get("depends_on", {}).get("nodes", ()):
        if key in nodes and nodes[key]["config"]["materialized"] == "ephemeral":
            found |= set(_words(nodes[key], nodes))
    return tuple(sorted(found))


def _reads(node: Mapping[str, Any], nodes: Mapping[str, Any], sources: Mapping[str, Any]) -> Iterable[str]:
    for key in node.get("depends_on", {}).get("nodes", ()):
        if key in sources:
            yield sources[key]["identifier"]
        elif key in nodes and nodes[key]["config"]["materialized"] == "ephemeral":
            yield from _reads(nodes[key], nodes, sources)
        elif key in nodes:
            yield nodes[key].get("alias") or nodes[key]["name"]


def _in_build_order(models: list[DbtModel]) -> tuple[DbtModel, ...]:
    left, done, ordered = {m.name: m for m in models}, set[str](), list[DbtModel]()
    while left:
        ready = [m for m in left.values() if all(r in done or r not in left for r in m.reads)]
        for model in ready:
            ordered.append(left.pop(model.name))
            done.add(model.name)
    return tuple(ordered)


def _files(folder: Path) -> list[Path]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return [p for p in found if p.relative_to(folder).parts[0] not in _IGNORED]


def _read_cache(path: Path) -> DbtGraph | None:
    try:
        data = json.loads(path.read_text())
        models = tuple(DbtModel(**{k: _tuples(v) for k, v in m.items()}) for m in data["models"])
        exposures = tuple(DbtExposure(**{k: _tuples(v) for k, v in e.items()}) for e in data["exposures"])
        return DbtGraph(data["digest"], models, tuple(data["sources"]), exposures, _tuples(data["names"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
