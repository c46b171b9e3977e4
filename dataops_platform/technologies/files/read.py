"""Reads a file as text, row by row, and keeps what cannot be read as a row together with the reason.

Every value stays as it was written: no type is guessed, no null is interpreted. Files are pulled into memory.
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

from dataops_platform.kit.errors import Refused, UsedWrongly, some

if TYPE_CHECKING:
    import pyarrow as pa

_DAMAGE = (EOFError, OSError, RuntimeError, zlib.error, zipfile.BadZipFile)
"""What the archive libraries raise; RuntimeError for a password or a method they do not know."""

_ANY_LENGTH = 2**31 - 1
"""Characters that a field may have. The limit is the process's, for other threads and for dbt, too: never lowered."""


@dataclass(frozen=True)
class RefusedLine:
    """Something in a file that is no row: its first line (from 1), its text, and why.

    In a record with faulty quoting each line it runs over counts, blank ones apart: no one can say where it ends.
    """

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

    Raises: UsedWrongly DP-E009 or DP-E017 for no file, DP-E002 or DP-E010 for another kind of file; Refused DP-E003 for
    one that is damaged or cut short, DP-E011 to DP-E016 for one without rows of named text columns.
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
                raise UsedWrongly("DP-E010", file=name, count=len(members), names=some(members))
            return archive.read(members[0])
    raise UsedWrongly("DP-E002", file=name)


def _read_parquet(path: Path, name: str) -> FileRows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(io.BytesIO(path.read_bytes())).read()
    except pa.ArrowException as error:
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
    """Refuses column names that SQL takes for one another, that are empty, or that are the platform's own."""
    lower = [column.lower() for column in names]
    twice = sorted({column for column in names if lower.count(column.lower()) > 1})
    if twice:
        raise Refused("DP-E013", file=name, columns=some(twice))
    if "" in names:
        raise Refused("DP-E014", file=name, number=names.index("") + 1)
    own = [column for column in names if column.lower().startswith("_dp_")]
    if own:
        raise Refused("DP-E015", file=name, columns=some(own))


def _read_plain_csv(data: bytes, header: list[str]) -> FileRows | None:
    """Fast: for a file without quotes, carriage returns, blank or ragged lines, where row n stands on line n + 1."""
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
    """Exact: for any file; a row that is no UTF-8, ragged or badly quoted is refused with its text."""
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
    """(first line, fields, text, problem) of each record, the header first; blank lines are no records."""
    lines: list[str] = []
    csv.field_size_limit(max(csv.field_size_limit(), _ANY_LENGTH))
    reader = csv.reader(_kept(data, lines), strict=True)
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


def _kept(data: bytes, lines: list[str]) -> Iterator[str]:
    """The lines of a text, read as they are asked for and added to `lines`; what is no UTF-8 becomes surrogates."""
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
