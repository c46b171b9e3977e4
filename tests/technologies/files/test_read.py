"""A file is read as it was written: each record is a row or is refused with its text and a reason."""

from __future__ import annotations

import bz2
import csv
import datetime as dt
import gzip
import io
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dataops_platform.kit.errors import DataOpsError, Refused, UsedWrongly
from dataops_platform.technologies.files import read
from dataops_platform.technologies.files.read import FileRows, RefusedLine, read_file

Row = tuple[Any, ...]


def rows_of(found: FileRows) -> list[Row]:
    """The rows, each with its line at the end."""
    return [tuple(row.values()) for row in found.table.to_pylist()]


def said(call: Callable[[], object], kind: type[DataOpsError] = Refused) -> str:
    """The message of the error a call raises, which must be of this kind."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.fixture
def csv_of(tmp_path: Path) -> Callable[[bytes], FileRows]:
    """Writes bytes to `x.csv` and reads them."""

    def reads(data: bytes) -> FileRows:
        (tmp_path / "x.csv").write_bytes(data)
        return read_file(tmp_path / "x.csv", "data/x.csv")

    return reads


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a,b\n1,2\n3,4\n", [("1", "2", 2), ("3", "4", 3)]),
        (b"a,b\n1,2\n3,4", [("1", "2", 2), ("3", "4", 3)]),
        (b"a,b\r\n1,2\r\n3,4\r\n", [("1", "2", 2), ("3", "4", 3)]),
        (b"a,b\r1,2\r3,4", [("1", "2", 2), ("3", "4", 3)]),
        (b"a,b\n1,2\r\n3,4\r5,6", [("1", "2", 2), ("3", "4", 3), ("5", "6", 4)]),
        (b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2", 2)]),
        (b'\xef\xbb\xbf"a",b\n1,2\n', [("1", "2", 2)]),
        (b"a,b\n\n1,2\n\n\n3,4\n\n", [("1", "2", 3), ("3", "4", 6)]),
        (b"\n\na,b\n1,2\n", [("1", "2", 4)]),
        (b'a,b\n"1","2"\n', [("1", "2", 2)]),
        (b'a,b\n"x\ny","2"\n3,4\n', [("x\ny", "2", 2), ("3", "4", 4)]),
        (b'a,b\n"x\r\n\r\ny",2\n3,4\n', [("x\r\n\r\ny", "2", 2), ("3", "4", 5)]),
        (b'a,b\n"say ""hi""","1,2"\n', [('say "hi"', "1,2", 2)]),
        (b'a,b\nsay "hi",5" pipe\n', [('say "hi"', '5" pipe', 2)]),
        (b'"a\nb",c\n1,2\n', [("1", "2", 3)]),
        (b"a,b\n,\n", [("", "", 2)]),
        (b"a,b\n 1 , 2 \n", [(" 1 ", " 2 ", 2)]),
        (b"a,b\nNA,null\n", [("NA", "null", 2)]),
        (b"a,b\n007,1e3\ntrue,2013-01-01\n", [("007", "1e3", 2), ("true", "2013-01-01", 3)]),
        ("a,b\né,👍\n".encode(), [("é", "👍", 2)]),
        ("a,b\n1,x\u2028y\x0b\x0c\x1c\x85z\n".encode(), [("1", "x\u2028y\x0b\x0c\x1c\x85z", 2)]),
        (b"a\n1\n\n2\n", [("1", 2), ("2", 4)]),
        (b'a\n""\n \n', [("", 2), (" ", 3)]),
        (b"a,b", []),
        (b"a,b\n", []),
        (b"a,b\n\n\n", []),
    ],
)
def test_every_record_of_a_right_file_is_a_row_with_its_line(
    csv_of: Callable[[bytes], FileRows], data: bytes, rows: list[Row]
) -> None:
    found = csv_of(data)
    assert rows_of(found) == rows
    assert (found.refused, found.rows_in) == ((), len(rows))
    assert all(field.type == pa.string() for field in found.table.schema if field.name != "_dp_line")


QUOTE = "quoting: ',' expected after '\"'"
END = "quoting: unexpected end of data"


@pytest.mark.parametrize(
    ("data", "rows", "refused"),
    [
        (b"a,b\n1,2\n3\n4,5\n", [("1", "2", 2), ("4", "5", 4)], [(3, "3", "fields: 1 where the header has 2")]),
        (b"a,b\n1,2,3\n4,5\n", [("4", "5", 3)], [(2, "1,2,3", "fields: 3 where the header has 2")]),
        (b"a,b\n1,2,\n", [], [(2, "1,2,", "fields: 3 where the header has 2")]),
        (b"a,b\n \n1,2\n", [("1", "2", 3)], [(2, " ", "fields: 1 where the header has 2")]),
        (b'a,b\n"x\ny"\n1,2\n', [("1", "2", 4)], [(2, '"x\ny"', "fields: 1 where the header has 2")]),
        (b"a,b\n1,\xff\n3,4\n", [("3", "4", 3)], [(2, "1,\udcff", "encoding: not UTF-8")]),
        (b"a,b\n1,\xe2\x82\n3,\xc3\xa9", [("3", "é", 3)], [(2, "1,\udce2\udc82", "encoding: not UTF-8")]),
        (b"a,b\n1,\xed\xa0\x80\n", [], [(2, "1,\udced\udca0\udc80", "encoding: not UTF-8")]),
        (b"a,b\n1,x\0y\n3,4\n", [("3", "4", 3)], [(2, "1,x\0y", "null byte")]),
        (b'a,b\n1,"x"y\n3,4\n', [("3", "4", 3)], [(2, '1,"x"y', QUOTE)]),
        (b'a,b\n1,"x\n3,4\n5,6\n', [], [(2, '1,"x', END), (3, "3,4", END), (4, "5,6", END)]),
        (b'a,b\n1,"x\n\n3,4', [], [(2, '1,"x', END), (4, "3,4", END)]),
        (b'a,b\n1,2\n3,"', [("1", "2", 2)], [(3, '3,"', END)]),
        (
            b'a,b\n1,"x\r\n3,4\r\n5,"six"\r\n7,8\r\n',
            [("7", "8", 5)],
            [(2, '1,"x', QUOTE), (3, "3,4", QUOTE), (4, '5,"six"', QUOTE)],
        ),
    ],
)
def test_what_is_no_row_is_refused_with_its_line_its_text_and_why(
    csv_of: Callable[[bytes], FileRows], data: bytes, rows: list[Row], refused: list[tuple[int, str, str]]
) -> None:
    found = csv_of(data)
    assert rows_of(found) == rows
    assert found.refused == tuple(RefusedLine(*line) for line in refused)
    assert found.rows_in == len(rows) + len(refused)


def test_a_quote_left_open_does_not_hide_how_many_rows_it_costs(csv_of: Callable[[bytes], FileRows]) -> None:
    lines = [f"{number},x" for number in range(1000)]
    lines[10] = '10,"x'
    found = csv_of("\n".join(["a,b", *lines]).encode())
    assert (found.table.num_rows, len(found.refused), found.rows_in) == (10, 990, 1000)
    assert [line.raw for line in found.refused] == lines[10:]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_field_may_be_as_long_as_it_likes(csv_of: Callable[[bytes], FileRows], quote: str) -> None:
    long = "x" * 3_000_000
    assert rows_of(csv_of(f"a,b\n{quote}{long}{quote},1\n3,4\n".encode())) == [(long, "1", 2), ("3", "4", 3)]


def test_reading_a_small_file_does_not_shorten_what_others_in_the_process_may_read(
    csv_of: Callable[[bytes], FileRows],
) -> None:
    others = csv.reader(["a,b\n", f"{'x' * 1000},1\n"])  # a dbt seed, a user's function, a larger file in a thread
    assert next(others) == ["a", "b"]
    assert rows_of(csv_of(b"a\n1\n")) == [("1", 2)]
    assert next(others) == ["x" * 1000, "1"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty and has no header line. Deliver the file again."),
        (b"\n\r\n", "is empty and has no header line. Deliver the file again."),
        (b"\xef\xbb\xbf", "is empty and has no header line. Deliver the file again."),
        (b"a,b,a\n", "names a column twice in its header: a."),
        (b"a,b,A\n", "names a column twice in its header: A, a."),
        (b"a,,b\n1,2,3\n", "has no name for column 2 in its header."),
        (b"a,b,\n1,2,\n", "has no name for column 3 in its header."),
        (b"a,_dp_line\n1,2\n", "has the columns _dp_line, but names starting with _dp_ belong to the platform."),
        (b"a,_DP_x\n1,2\n", "has the columns _DP_x, but names starting with _dp_ belong to the platform."),
        (b'"a,b\n1,2\n', f"has no valid header in line 1: {END}. Deliver the file again."),
        (b'"a"b,c\n1,2\n', f"has no valid header in line 1: {QUOTE}. Deliver the file again."),
        (b"\xff,b\n1,2\n", "has no valid header in line 1: encoding: not UTF-8. Deliver the file again."),
        ("a,b\n1,2\n".encode("utf-16"), "has no valid header in line 1: encoding: not UTF-8. Deliver the file again."),
        (b"\na\0,b\n1,2\n", "has no valid header in line 2: null byte. Deliver the file again."),
    ],
)
def test_a_file_without_a_right_header_is_refused(
    csv_of: Callable[[bytes], FileRows], data: bytes, message: str
) -> None:
    text = said(lambda: csv_of(data))
    assert re.match(r"DP-E01[1-5] data/x\.csv " + re.escape(message), text), text


def lines_of(text: str) -> list[str]:
    """Physical lines with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)


def oracle(text: str) -> list[tuple[int, list[str] | None]]:
    """(line, fields) of each record, None for each line of one with faulty quoting: RFC 4180, letter by letter."""
    lines, records, at = lines_of(text), [], 0
    while at < len(lines):
        start, fields, field, state, broken = at, [], "", "start", False
        while at < len(lines) and not broken and (state == "quoted" or at == start):
            for letter in lines[at]:
                if state == "quoted":
                    field, state = (field, "closing") if letter == '"' else (field + letter, state)
                elif state == "closing" and letter == '"':
                    field, state = field + '"', "quoted"
                elif letter == ",":
                    fields, field, state = [*fields, field], "", "start"
                elif letter in "\r\n":
                    break
                elif state == "closing":
                    broken = True
                    break
                elif letter == '"' and state == "start":
                    state = "quoted"
                else:
                    field, state = field + letter, "plain"
            at += 1
        if broken or state == "quoted":
            records += [(i + 1, None) for i in range(start, at) if lines[i].strip("\r\n")]
        elif lines[start].strip("\r\n"):
            records.append((start + 1, [*fields, field]))
    return records


@settings(max_examples=400, deadline=None, database=None)
@given(st.text('ab",\n\r é', max_size=40))
def test_any_text_is_read_as_an_oracle_reads_it_and_nothing_is_lost(text: str) -> None:
    header, *records = oracle("h1,h2\n" + text)
    found = read._read_csv(("h1,h2\n" + text).encode(), "x.csv")
    assert header == (1, ["h1", "h2"])
    assert found.rows_in == len(records)
    assert rows_of(found) == [(*fields, line) for line, fields in records if fields and len(fields) == 2]
    assert [(line.line, line.reason.partition(":")[0]) for line in found.refused] == [
        (line, "fields" if fields else "quoting") for line, fields in records if not fields or len(fields) != 2
    ]
    kept = [line for refused in found.refused for line in lines_of(refused.raw + "\n")]
    assert all(kept)


@settings(max_examples=300, deadline=None, database=None)
@given(
    names=st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True),
    lines=st.lists(st.text("x1, é\t\x0b\u2028", max_size=8), max_size=8),
    end=st.sampled_from(["", "\n", "\n\n"]),
)
def test_the_fast_way_and_the_exact_way_agree(names: list[str], lines: list[str], end: str) -> None:
    data = ("\n".join([",".join(names), *lines]) + end).encode()
    exact = read._read_any_csv(data, names)
    fast = read._read_plain_csv(data, names)
    ragged = any(line.count(",") != len(names) - 1 for line in lines)
    if lines and "" not in lines and end != "\n\n" and not ragged:
        assert fast is not None
    assert fast is None or (fast.table.equals(exact.table) and fast.refused == exact.refused == ())


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(st.tuples(st.text(max_size=6), st.text(max_size=6)), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_a_program_wrote_as_csv_is_read_back(rows: list[tuple[str, str]], end: str) -> None:
    assume("\\ud" not in ascii(rows) and "\\x00" not in ascii(rows))
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    found = read._read_csv(file.getvalue().encode(), "x.csv")
    assert [row[:2] for row in rows_of(found)] == rows
    assert found.refused == ()


CSV = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(200))
WHOLE = [(str(i), str(i * i), i + 2) for i in range(200)]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.csv", CSV),
        ("x.csv.gz", gzip.compress(CSV)),
        ("x.csv.gz", gzip.compress(CSV[:100]) + gzip.compress(CSV[100:])),
        ("x.zip", zipped({"x.csv": CSV})),
        ("x.csv.zip", zipped({"readme.txt": b"hello", "folder/y.csv": CSV})),
        ("x.zip", zipped({"x.csv": CSV}, zipfile.ZIP_BZIP2)),
    ],
)
def test_packed_files_give_the_same_rows(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert rows_of(read_file(tmp_path / name, name)) == WHOLE


def encrypted() -> bytes:
    """An archive whose one file is marked as encrypted."""
    data = bytearray(zipped({"x.csv": CSV}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    return bytes(data)


def unknown_method() -> bytes:
    """An archive whose one file is packed in a way nobody knows."""
    data = bytearray(zipped({"x.csv": CSV}))
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + offset] = 99
    return bytes(data)


def flipped(data: bytes, at: int) -> bytes:
    """The data with one byte changed."""
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.csv.gz", gzip.compress(CSV)[:-20]),
        ("x.csv.gz", gzip.compress(CSV)[:5]),
        ("x.csv.gz", flipped(gzip.compress(CSV), 60)),
        ("x.csv.gz", flipped(gzip.compress(CSV), -5)),
        ("x.csv.gz", gzip.compress(CSV) + b"garbage"),
        ("x.csv.gz", CSV),
        ("x.csv.gz", bz2.compress(CSV)),
        ("x.zip", zipped({"x.csv": CSV})[:-30]),
        ("x.zip", zipped({"x.csv": CSV})[:100]),
        ("x.zip", flipped(zipped({"x.csv": CSV}), 60)),
        ("x.zip", CSV),
        ("x.zip", b""),
        ("x.zip", encrypted()),
        ("x.zip", unknown_method()),
        ("x.parquet", b""),
        ("x.parquet", CSV),
        ("x.parquet", b"PAR1" + b"\0" * 40 + b"PAR1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_damaged_or_cut_short_is_refused_whole(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    message = said(lambda: read_file(tmp_path / name, f"data/{name}"))
    assert message.startswith(f"DP-E003 data/{name} is damaged or cut short (")
    assert message.endswith("). Deliver the file again; nothing was written.")
    assert str(tmp_path) not in message


def test_a_packed_file_without_content_is_refused(tmp_path: Path) -> None:
    for name, data in {"x.csv.gz": b"", "y.csv.gz": gzip.compress(b""), "z.zip": zipped({"z.csv": b""})}.items():
        (tmp_path / name).write_bytes(data)
        assert said(lambda: read_file(tmp_path / name, name)) == (  # noqa: B023
            f"DP-E011 {name} is empty and has no header line. Deliver the file again."
        )


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (
            "x.zip",
            zipped({"a.csv": CSV, "b.csv": CSV}),
            "DP-E010 x.zip holds 2 CSV files, not one (a.csv, b.csv). Deliver an archive of one CSV file.",
        ),
        (
            "x.zip",
            zipped({"a.txt": CSV}),
            "DP-E010 x.zip holds 0 CSV files, not one (). Deliver an archive of one CSV file.",
        ),
        (
            "x.txt",
            CSV,
            "DP-E002 x.txt has a file type that cannot be read. Name a .csv, .csv.gz, .zip of one .csv, or .parquet "
            "file.",
        ),
        (
            "x.CSV",
            CSV,
            "DP-E002 x.CSV has a file type that cannot be read. Name a .csv, .csv.gz, .zip of one .csv, or .parquet "
            "file.",
        ),
        (
            "csv",
            CSV,
            "DP-E002 csv has a file type that cannot be read. Name a .csv, .csv.gz, .zip of one .csv, or .parquet "
            "file.",
        ),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert said(lambda: read_file(tmp_path / name, name), UsedWrongly) == message


@settings(max_examples=120, deadline=None, database=None)
@given(
    kind=st.sampled_from(["gz", "zip", "parquet"]), at=st.integers(0, 10**6), cut=st.booleans(), bit=st.integers(0, 7)
)
@example(kind="parquet", at=543504, cut=False, bit=7)  # the name of a column that is no UTF-8 any more
def test_a_damaged_file_is_never_a_traceback_of_another_kind(
    tmp_path_factory: pytest.TempPathFactory, kind: str, at: int, cut: bool, bit: int
) -> None:
    data = {"gz": gzip.compress(CSV), "zip": zipped({"x.csv": CSV}), "parquet": PARQUET}[kind]
    at %= len(data)
    data = data[:at] if cut else data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]
    path = tmp_path_factory.getbasetemp() / {"gz": "d.csv.gz", "zip": "d.zip", "parquet": "d.parquet"}[kind]
    path.write_bytes(data)
    try:
        found = read_file(path, path.name)
    except (Refused, UsedWrongly) as error:
        assert error.code in ("DP-E003", "DP-E010", "DP-E011", "DP-E012", "DP-E013", "DP-E014")
    else:
        assert found.rows_in >= 0


def parquet(path: Path, columns: dict[str, pa.Array]) -> Path:
    """A Parquet file with these columns."""
    pq.write_table(pa.table(columns), path)
    return path


PARQUET = (lambda stream: (pq.write_table(pa.table({"a": range(50)}), stream), stream.getvalue())[1])(io.BytesIO())


def test_parquet_is_read_as_text_with_the_number_of_each_row(tmp_path: Path) -> None:
    columns = {
        "text": pa.array(["x", None]),
        "whole": pa.array([1, None], pa.int64()),
        "share": pa.array([0.1, 1.0]),
        "price": pa.array([Decimal("1.50"), None]),
        "flag": pa.array([True, False]),
        "day": pa.array([dt.date(2024, 2, 29), None]),
        "moment": pa.array([dt.datetime(2024, 2, 29, 5, 6, 7), None], pa.timestamp("s")),
        "kind": pa.array(["k", "k"]).dictionary_encode(),
    }
    found = read_file(parquet(tmp_path / "x.parquet", columns), "x.parquet")
    assert rows_of(found) == [
        ("x", "1", "0.1", "1.50", "true", "2024-02-29", "2024-02-29 05:06:07.000", "k", 1),
        (None, None, "1", None, "false", None, None, "k", 2),
    ]
    assert (found.refused, found.rows_in) == ((), 2)


def test_parquet_without_rows_has_its_columns(tmp_path: Path) -> None:
    found = read_file(parquet(tmp_path / "x.parquet", {"a": pa.array([], pa.int64())}), "x.parquet")
    assert (found.table.column_names, found.rows_in) == (["a", "_dp_line"], 0)


def test_the_folder_a_parquet_file_lies_in_makes_no_column(tmp_path: Path) -> None:
    (tmp_path / "year=2024").mkdir()
    found = read_file(parquet(tmp_path / "year=2024" / "x.parquet", {"a": pa.array([1])}), "x.parquet")
    assert found.table.column_names == ["a", "_dp_line"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"_dp_line": pa.array([1])}, "DP-E015 x.parquet has the columns _dp_line, but names starting with _dp_ "),
        ({"a": pa.array([1]), "A": pa.array([2])}, "DP-E013 x.parquet names a column twice in its header: A, a."),
        (
            {"a": pa.array([[1, 2]])},
            "DP-E016 x.parquet has column 'a' of type list<element: int64>, which cannot be read as text: ",
        ),
        ({"a": pa.array([b"\xff"])}, "DP-E016 x.parquet has column 'a' of type binary, which cannot be read as text: "),
    ],
)
def test_parquet_that_makes_no_table_of_texts_is_refused(
    tmp_path: Path, columns: dict[str, pa.Array], message: str
) -> None:
    path = parquet(tmp_path / "x.parquet", columns)
    assert said(lambda: read_file(path, "x.parquet")).startswith(message)
