"""Compares a reproduced table with the original."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from pathlib import Path

from dataops_platform.kit.relation import data_columns_of
from dataops_platform.kit.sql import identifier, literal
from dataops_platform.manifests.manifest import WHOLE, Head
from dataops_platform.manifests.table_digest import TableDigest
from dataops_platform.release.reproduce.kept import is_as_recorded
from dataops_platform.release.reproduce.result import Comparison
from dataops_platform.warehouse.expiry import files_of
from dataops_platform.warehouse.lake import Lake

_PARTITION = re.compile(r"_dp_partition=([^/]*)/")
_FLOATING = re.compile(r"DOUBLE|FLOAT")
MODEL_DIGEST = "model_digest"
"""The column of a table of predictions that holds the digest of the model. It is not compared."""


def compare_table(lake: Lake, was: Head, now: Head | None, tolerance: float) -> Comparison:
    """Return how closely the reproduced table `now` matches the table `was`, over the partitions of `was`.

    `tolerance` is the largest difference of two equal floating-point numbers: absolute up to 1, relative above.
    Rows are read only in partitions whose digests differ, and to verify those of `was`.
    """
    if now is None:
        return Comparison(was.name, "table", "different", "it was not made")
    parts = list(was.partitions)
    other = [p for p in parts if p not in now.partitions or now.partitions[p].digest != was.partitions[p].digest]
    is_kept = lake.has_version(was.version)
    if is_kept and not is_as_recorded(lake, was):
        return Comparison(was.name, "table", "different", "the rows that are kept are not those that were recorded")
    if not other:
        if not is_kept:
            return Comparison(was.name, "table", "content", "only its digest is kept: its files were given up")
        if _files(lake, was, parts) == _files(lake, now, parts):
            return Comparison(was.name, "table", "bytes")
        return Comparison(was.name, "table", "content", "the same rows, written to other files")
    where = "" if parts == [WHOLE] else f" in {len(other)} of {len(parts)} partitions"
    if not is_kept:
        return Comparison(was.name, "table", "different", f"another digest{where}; its rows were given up")
    return _compare_rows(lake, was, now, other, tolerance, where)


def _files(lake: Lake, head: Head, partitions: Collection[str]) -> list[str]:
    """Return the sorted digests of a version's files in some partitions, including the files of deleted rows."""
    found = []
    for path, deleted in files_of(lake.connection, f"{head.area}__build", head.name, head.version):
        part = _PARTITION.search(path)
        if part is None or part[1] in partitions:
            found.append(_digest_of(lake, path) + (_digest_of(lake, deleted) if deleted else ""))
    return sorted(found)


def _digest_of(lake: Lake, path: str) -> str:
    if "://" not in path:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    row = lake.connection.execute(f"select sha256(content) from read_blob({literal(path)})").fetchone()
    return str(row[0]) if row else ""


def _compare_rows(
    lake: Lake, was: Head, now: Head, partitions: Collection[str], tolerance: float, where: str
) -> Comparison:
    """Compare the rows of some partitions, paired in the order of the exact columns, then the floating-point ones.

    `where` is appended to the reason.
    """
    relations = [_rows(lake, head, partitions) for head in (was, now)]
    columns = [_columns(lake, relation) for relation in relations]
    if columns[0] != columns[1]:
        return Comparison(was.name, "table", "different", f"other columns{where}")
    counts = [
        sum((TableDigest.parse(head.partitions[p].digest).rows for p in partitions if p in head.partitions), 0)
        for head in (was, now)
    ]
    if counts[0] != counts[1]:
        return Comparison(was.name, "table", "different", f"{counts[1]} rows instead of {counts[0]}{where}")
    scored = was.manifests[0].stage == "score"
    names = [n for n in columns[0] if not (scored and n == MODEL_DIGEST)]
    floating = [n for n in names if _FLOATING.fullmatch(columns[0][n])]
    exact = [n for n in names if n not in floating]
    order = ", ".join(identifier(n) for n in (*exact, *floating))
    sides = [f"(select *, row_number() over (order by {order}) as _dp_row from {relation})" for relation in relations]
    same = " and ".join(f"w.{identifier(n)} is not distinct from n.{identifier(n)}" for n in exact) or "true"
    far = ", ".join(_distance(identifier(n)) for n in floating) or "0.0"
    row = lake.connection.execute(
        f"select count(*) filter (where not ({same})), coalesce(max(greatest({far}, 0.0)), 0.0) "
        f"from {sides[0]} w join {sides[1]} n using (_dp_row)"
    ).fetchone()
    others, distance = row if row else (0, 0.0)
    if others:
        return Comparison(was.name, "table", "different", f"{others} of {counts[0]} rows are others{where}")
    if distance == 0 and scored:
        return Comparison(was.name, "table", "predictions", "the same predictions of another model")
    if distance <= tolerance:
        return Comparison(was.name, "table", "tolerance", f"numbers differ by up to {distance:.1e}{where}")
    return Comparison(was.name, "table", "different", f"numbers differ by up to {distance:.2g}{where}")


def _rows(lake: Lake, head: Head, partitions: Collection[str]) -> str:
    relation = lake.relation(head.area, head)
    if WHOLE in partitions:
        return f"(from {relation})"
    return f"(from {relation} where _dp_partition in ({', '.join(literal(p) for p in partitions)}))"


def _columns(lake: Lake, relation: str) -> dict[str, str]:
    return dict(sorted(data_columns_of(lake.connection, relation).items()))


def _distance(column: str) -> str:
    """Return SQL of the distance between the numbers of a pair: absolute up to 1, relative above.

    It is infinite when only one of them is null.
    """
    pair = f"w.{column}, n.{column}"
    return (
        f"case when w.{column} is not distinct from n.{column} then 0.0 "
        f"when w.{column} is null or n.{column} is null then 'inf'::double "
        f"else coalesce(abs(w.{column} - n.{column}) / greatest(1.0, abs(greatest({pair})), abs(least({pair}))), "
        "'inf'::double) end"
    )
