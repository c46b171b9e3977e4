"""Reads a file as text, row by row, and keeps what cannot be read as a row together with the reason.

Every value stays as it was written: no type is guessed, no null is interpreted. Files are pulled into memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, UsedWrongly, some

if TYPE_CHECKING:
    import pyarrow as pa

MAX_FIELD = 1024 * 1024


@dataclass(frozen=True)
class RefusedLine:
    """Something in a file that is no row: its first line (from 1), its text (cut), and why."""

    line: int
    raw: str
    reason: str


@dataclass(frozen=True)
class FileRows:
    """The rows of one file: every column as text, and `_dp_line`, the line (from 1) each row starts at."""

    table: pa.Table
    refused: tuple[RefusedLine, ...]

    @property
    def rows_in(self) -> int:
        """Rows read and rows refused."""
        return int(self.table.num_rows) + len(self.refused)


def read_file(path: Path, name: str) -> FileRows:
    """The rows of a `.csv`, `.csv.gz`, `.zip` (of one CSV) or `.parquet` file; `name` is used in messages.

    Raises: UsedWrongly DP-E002 for another kind of file, Refused DP-E003 for one that is empty, damaged or cut short.
    """
    try:
        if path.name.endswith(".parquet"):
            return _read_parquet(path, name)
        return _read_csv(_bytes(path, name), name)
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise Refused(
            "DP-E003", f"{name} is damaged or cut short ({error})", fix="deliver the file again; nothing was written"
        ) from error


def _bytes(path: Path, name: str) -> bytes:
    if path.name.endswith(".csv"):
        return path.read_bytes()
    if path.name.endswith(".csv.gz"):
        with gzip.open(path) as file:
            return file.read()
    if path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(".csv")]
            if len(members) != 1:
                raise UsedWrongly("DP-E002", f"{name} holds {len(members)} CSV files, not one ({some(members)})")
            return archive.read(members[0])
    raise UsedWrongly("DP-E002", f"{name} is of no known kind", fix="known: .csv, .csv.gz, .zip of one .csv, .parquet")


def _read_parquet(path: Path, name: str) -> FileRows:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise Refused(
            "DP-E003", f"{name} is damaged or cut short ({error})", fix="deliver the file again; nothing was written"
        ) from error
    texts = [pc.cast(table.column(column), pa.string()) for column in table.column_names]
    return FileRows(_with_lines(pa.table(texts, names=table.column_names), range(1, table.num_rows + 1)), ())


def _read_csv(data: bytes, name: str) -> FileRows:
    header = next(csv.reader(io.StringIO(data[:MAX_FIELD].decode("utf-8-sig", "replace"))), None)
    if not header:
        raise Refused("DP-E003", f"{name} is empty: it has no header line", fix="deliver the file again")
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise Refused("DP-E003", f"{name} names column {some(twice)} twice in its header")
    return _read_plain_csv(data, header) or _read_any_csv(data, header)


def _read_plain_csv(data: bytes, header: list[str]) -> FileRows | None:
    """Fast: for a file without quotes, carriage returns, blank or ragged lines, where row n stands on line n + 1."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if b'"' in data or b"\r" in data or b"\0" in data or data.startswith(b"\xef\xbb\xbf"):
        return None
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=header, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    if table.num_rows != lines - 1 or b"\n\n" in data:
        return None
    return FileRows(_with_lines(table, range(2, lines + 1)), ())


def _read_any_csv(data: bytes, header: list[str]) -> FileRows:
    """Exact: for any file; a row that is no UTF-8, ragged or badly quoted is refused with its text."""
    import pyarrow as pa

    columns: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    refused: list[RefusedLine] = []
    for line, row, raw, problem in _records(data):
        reason = problem or _fault(row, len(header))
        if reason:
            refused.append(RefusedLine(line, raw[:2000], reason))
            continue
        lines.append(line)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=header)
    return FileRows(_with_lines(table, lines), tuple(refused))


def _records(data: bytes) -> Iterator[tuple[int, list[str], str, str]]:
    """(first line, fields, text, problem) of each record after the header; blank lines are no records."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    lines = io.StringIO(text, newline="").readlines()
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(lines, strict=True)
    next(reader)
    while True:
        start, problem, row = reader.line_num, "", []
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = f"quoting: {error}"
        if not row and not problem:
            continue
        yield start + 1, row, "".join(lines[start : reader.line_num]).rstrip("\r\n"), problem


def _fault(row: list[str], width: int) -> str:
    if len(row) != width:
        return f"fields: {len(row)} where the header has {width}"
    if any("\udc80" <= character <= "\udcff" for value in row for character in value if not value.isascii()):
        return "encoding: not UTF-8"
    return "null byte" if any("\0" in value for value in row) else ""


def _with_lines(table: pa.Table, lines: object) -> pa.Table:
    import pyarrow as pa

    return table.append_column("_dp_line", pa.array(lines, pa.int64()))
