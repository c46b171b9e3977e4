"""YAML is read strictly, and every complaint says where."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.yaml_file import MAX_BYTES, read_yaml


def complaint(folder: Path, content: str | bytes) -> str:
    """What `read_yaml` says about a file called `a.yaml` with this content."""
    path = folder / "a.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsedWrongly) as caught:
        read_yaml(path)
    assert caught.value.code.startswith("DP-Y")
    return caught.value.message


def test_a_file_is_read_with_the_place_of_each_key_and_item(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("project: flights\npartitions:\n  months: {every: month, days: [1, 2]}\n")
    file = read_yaml(path)
    assert file.data == {"project": "flights", "partitions": {"months": {"every": "month", "days": [1, 2]}}}
    assert file.places == {
        (): (1, 1),
        ("project",): (1, 1),
        ("partitions",): (2, 1),
        ("partitions", "months"): (3, 3),
        ("partitions", "months", "every"): (3, 12),
        ("partitions", "months", "days"): (3, 26),
        ("partitions", "months", "days", 0): (3, 33),
        ("partitions", "months", "days", 1): (3, 36),
    }
    assert file.place(("partitions", "months", "every")) == "a.yaml:3:12"
    assert file.place(("partitions", "months", "no such", 3)) == "a.yaml:3:3"
    assert file.place(("nowhere",)) == "a.yaml:1:1"


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\n\n", b"---\n", b"\xef\xbb\xbf"])
def test_a_file_without_content_is_read_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    assert read_yaml(tmp_path / "a.yaml").data is None


def test_a_byte_order_mark_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_yaml(tmp_path / "a.yaml").data == {"a": 1}
    assert complaint(tmp_path, b"\xef\xbb\xbfa: 1\nb: \xff\n") == "a.yaml:2:4 is not UTF-8 text"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3:1 repeats the key 'a'"),
        ("x:\n  - {b: 1, b: 2}\n", "a.yaml:2:12 repeats the key 'b'"),
        ("a: 1\n'a': 2\n", "a.yaml:2:1 repeats the key 'a'"),
        ("a: &x 1\n", "a.yaml:1:4 uses a YAML anchor or alias"),
        ("a: {b: 1}\nc: *x\n", "a.yaml:2:4 uses a YAML anchor or alias"),
        ("- &x [1]\n- *x\n", "a.yaml:1:3 uses a YAML anchor or alias"),
        ("a:\n  <<: {b: 1}\n", "a.yaml:2:3 uses a YAML merge key"),
        ("a: !!int '1'\n", "a.yaml:1:4 uses a YAML tag"),
        ("a: !!bool maybe\n", "a.yaml:1:4 uses a YAML tag"),
        ("a: !!timestamp x\n", "a.yaml:1:4 uses a YAML tag"),
        ("a: !!python/object/apply:os.system [ls]\n", "a.yaml:1:4 uses a YAML tag"),
        ("a: !mine {b: 1}\n", "a.yaml:1:4 uses a YAML tag"),
        ("a: 1\nyes: 2\n", "a.yaml:2:1 has the key 'yes', which YAML reads as bool"),
        ("1: a\n", "a.yaml:1:1 has the key '1', which YAML reads as int"),
        ("a: {~: 1}\n", "a.yaml:1:5 has the key '~', which YAML reads as null"),
        ("2024-01-01: a\n", "a.yaml:1:1 has the key '2024-01-01', which YAML reads as timestamp"),
        ("a: 1\n? [b, c]\n: 2\n", "a.yaml:2:3 has a key that is not a plain word"),
        ("start: 2013-02-30\n", "a.yaml:1:8 has '2013-02-30', which YAML cannot read as a value"),
        ("a: [1, 0x_]\n", "a.yaml:1:8 has '0x_', which YAML cannot read as a value"),
        ("a: 010\n", "a.yaml:1:4 has '010', which YAML reads as 8"),
        ("a: [-1_0, 1:30]\n", "a.yaml:1:11 has '1:30', which YAML reads as 90"),
        ("a: {b: 1:30.5}\n", "a.yaml:1:8 has '1:30.5', which YAML reads as 90.5"),
        ("a: " + "9" * 5000, "a.yaml:1:4 has '" + "9" * 39 + "…', which YAML cannot read as a value"),
        ("a: [1, 2\nb: 3\n", "a.yaml:2:2 is not valid YAML: did not find expected ',' or ']'"),
        ("a:\n\tb: 1\n", "a.yaml:2:1 is not valid YAML: found character that cannot start any token"),
        ("a: b: c\n", "a.yaml:1:5 is not valid YAML: mapping values are not allowed in this context"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2:1 is not valid YAML: but found another document"),
        ('a: "\\ud800"\n', "a.yaml:1:7 is not valid YAML: found invalid Unicode character escape code"),
        ("a: 1\nbé: \0\n", "a.yaml:2:5 is not valid YAML: control characters are not allowed"),
        ("[" * 60 + "]" * 60, "a.yaml:1:51 is nested deeper than 50 levels"),
        ("\n".join("  " * i + f"k{i}:" for i in range(60)), "a.yaml:51:101 is nested deeper than 50 levels"),
    ],
)
def test_what_is_no_plain_configuration_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert complaint(tmp_path, text) == said


def test_fifty_levels_are_not_too_deep(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("[" * 50 + "]" * 50)
    assert str(read_yaml(tmp_path / "a.yaml").data) == "[" * 50 + "]" * 50


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a: 1\nb: \xe9\n", "2:4"),
        ("a: é\nbé: ".encode() + b"\xff", "2:5"),
        ("a: 1".encode("utf-16"), "1:1"),
        (b"a: \xe2\x82", "1:4"),
    ],
)
def test_a_file_that_is_not_utf8_is_refused_with_its_place(tmp_path: Path, content: bytes, place: str) -> None:
    assert complaint(tmp_path, content) == f"a.yaml:{place} is not UTF-8 text"


def test_a_file_of_more_than_one_mebibyte_is_not_read(tmp_path: Path) -> None:
    filled = "a: 1 #" + "x" * (MAX_BYTES - 6)
    (tmp_path / "a.yaml").write_text(filled)
    assert read_yaml(tmp_path / "a.yaml").data == {"a": 1}
    assert complaint(tmp_path, filled + "x") == "a.yaml has 1048577 bytes; at most 1048576 are read"


def test_a_file_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsedWrongly, match=r"^DP-Y001 b\.yaml cannot be read: No such file or directory\. Path /"):
        read_yaml(tmp_path / "b.yaml")
    with pytest.raises(UsedWrongly, match=r"^DP-Y001 .* cannot be read: Is a directory\."):
        read_yaml(tmp_path)


@settings(max_examples=300, deadline=None, database=None)
@given(content=st.text("ab01 \n\t:-[]{}&*!|>'\"%@`#,?~<.=\\\u0000\u0085\u2028é", max_size=40))
def test_no_text_whatever_raises_anything_else(content: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(content, newline="")
    try:
        file = read_yaml(path)
    except UsedWrongly as error:
        assert error.message.startswith("any.yaml:")
    else:
        assert file.data is None or () in file.places
