"""Reads files as text, row by row; lines that are no rows are kept with the reason.

Every value stays as it was written: types are not guessed, nulls are not interpreted. A file is pulled into memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from dataops_platform.kit.errors import Refused, UsedWrongly, preview

if TYPE_CHECKING:
    import pyarrow as pa

_DAMAGE = (EOFError, OSError, RuntimeError, zlib.error, zipfile.BadZipFile)
"""The errors of the archive libraries; RuntimeError stands for a password or an unknown method."""

_ANY_LENGTH = 2**31 - 1
"""The longest field, in characters. The limit belongs to the process, also for other threads and dbt: never lower it.
"""


@dataclass(frozen=True)
class RefusedLine:
    """A line of a file that is no row: its number (from 1), its text, and the reason.

    In a record with faulty quoting every line counts, except blank ones: nothing tells where the record ends.
    """

    line: int
    raw: str
    reason: str


@dataclass(frozen=True)
class FileRows:
    """The rows of one file: every column as text, and `_dp_line`, the line (from 1) at which a row starts."""

    table: pa.Table
    refused: tuple[RefusedLine, ...]

    @property
    def rows_in(self) -> int:
        """The number of rows read and lines refused."""
        return int(self.table.num_rows) + len(self.refused)


def read_file(path: Path, name: str) -> FileRows:
    """Return the rows of a `.csv`, `.csv.gz`, `.zip` (with one CSV) or `.parquet` file; messages call it `name`.

    Raises: UsedWrongly DP-E009 or DP-E017 for no file, DP-E002 or DP-E010 for another kind of file; Refused DP-E003 for
    a damaged or truncated one, DP-E011 to DP-E016 for one without rows of named text columns.
    """
    if path.is_dir():
        raise UsedWrongly("DP-E017", file=name or path)
    if not path.is_file():
        raise UsedWrongly("DP-E009", file=name or path)
    try:
        if path.name.endswith(".parquet"):
            return _read_parquet(path, name)
        return _read_csv(_bytes(path, name), name)
    except _DAMAGE as error:
        raise Refused("DP-E003", file=name, reason=error) from error


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
                raise UsedWrongly("DP-E010", file=name, count=len(members), names=preview(members))
            return archive.read(members[0])
    raise UsedWrongly("DP-E002", file=name)


def _read_parquet(path: Path, name: str) -> FileRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(io.BytesIO(path.read_bytes())).read()
    except (pa.ArrowException, UnicodeDecodeError) as error:  # a damaged name of a column is no UTF-8
        raise Refused("DP-E003", file=name, reason=error) from error
    _refuse_names(table.column_names, name)
    texts = [_as_text(table.column(column), column, name) for column in table.column_names]
    return FileRows(_with_lines(pa.table(texts, names=table.column_names), range(1, table.num_rows + 1)), ())


def _as_text(column: pa.ChunkedArray, column_name: str, name: str) -> pa.ChunkedArray:
    import pyarrow as pa

    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise Refused("DP-E016", file=name, column=column_name, type=column.type, reason=error) from error


def _read_csv(data: bytes, name: str) -> FileRows:
    header = next(_records(data), None)
    if header is None:
        raise Refused("DP-E011", file=name)
    line, names, _, problem = header
    problem = problem or _fault(names, len(names))
    if problem:
        raise Refused("DP-E012", file=name, line=line, reason=problem)
    _refuse_names(names, name)
    return _read_plain_csv(data, names) or _read_any_csv(data, names)


def _refuse_names(names: list[str], name: str) -> None:
    """Refuse column names that are empty, that differ only in case (SQL takes them for one), or that are reserved."""
    lower = [column.lower() for column in names]
    duplicates = sorted({column for column in names if lower.count(column.lower()) > 1})
    if duplicates:
        raise Refused("DP-E013", file=name, columns=preview(duplicates))
    if "" in names:
        raise Refused("DP-E014", file=name, number=names.index("") + 1)
    reserved = [column for column in names if column.lower().startswith("_dp_")]
    if reserved:
        raise Refused("DP-E015", file=name, columns=preview(reserved))


def _read_plain_csv(data: bytes, header: list[str]) -> FileRows | None:
    """Return the rows of a file without quotes, carriage returns, blank or ragged lines; None for any other file. Fast.

    In such a file row n stands on line n + 1.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if b'"' in data or b"\r" in data or b"\0" in data or data.startswith((BOM_UTF8, b"\n")):
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
    """Return the rows of any CSV file; a row that is not UTF-8, ragged or badly quoted is refused. Exact."""
    import pyarrow as pa

    columns: list[list[str]] = [[] for _ in header]
    lines: list[int] = []
    refused: list[RefusedLine] = []
    for line, row, raw, problem in islice(_records(data), 1, None):
        reason = problem or _fault(row, len(header))
        if reason:
            refused.append(RefusedLine(line, raw, reason))
            continue
        lines.append(line)
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=header)
    return FileRows(_with_lines(table, lines), tuple(refused))


def _records(data: bytes) -> Iterator[tuple[int, list[str], str, str]]:
    """Yield (first line, fields, text, problem) of each record, the header first; blank lines are no records."""
    lines: list[str] = []
    csv.field_size_limit(max(csv.field_size_limit(), _ANY_LENGTH))
    reader = csv.reader(_recorded_lines(data, lines), strict=True)
    while True:
        start = reader.line_num
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            for line, text in enumerate(lines[start:], start + 1):
                if raw := text.rstrip("\r\n"):
                    yield line, [], raw, f"quoting: {error}"
            continue
        if row:
            yield start + 1, row, "".join(lines[start:]).rstrip("\r\n"), ""


def _recorded_lines(data: bytes, lines: list[str]) -> Iterator[str]:
    """Yield the lines of a text on demand and append each to `lines`; bytes that are not UTF-8 become surrogates."""
    stream = io.BytesIO(data.removeprefix(BOM_UTF8))
    for line in io.TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline=""):
        lines.append(line)
        yield line


def _fault(row: list[str], width: int) -> str:
    if len(row) != width:
        return f"fields: {len(row)} where the header has {width}"
    if any("\udc80" <= character <= "\udcff" for value in row for character in value if not value.isascii()):
        return "encoding: not UTF-8"
    return "null byte" if any("\0" in value for value in row) else ""


def _with_lines(table: pa.Table, lines: object) -> pa.Table:
    import pyarrow as pa

    return table.append_column("_dp_line", pa.array(lines, pa.int64()))
