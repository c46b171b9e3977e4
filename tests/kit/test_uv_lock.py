"""What a `uv.lock` says; one that is none has a code."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.kit.uv_lock import locked_packages
from dataops_platform.technologies.mlflow.requirements import installed_versions, locked_requirements


@pytest.mark.parametrize("text", ["", "version = 1\n"])
def test_an_empty_lock_has_no_packages_and_models_need_what_is_installed(tmp_path: Path, text: str) -> None:
    (tmp_path / "uv.lock").write_text(text)
    assert list(locked_packages(tmp_path / "uv.lock")) == []
    assert locked_requirements(("polars",), tmp_path) == installed_versions(("polars",))


def test_a_locked_version_stands_before_the_installed_one(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "polars"\nversion = "0.1"\n')
    assert locked_requirements(("polars",), tmp_path) == ["polars==0.1"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<<<<<<< HEAD\n", "DP-P012"),
        (b"\xff\xfe", "DP-P012"),
        (b"package = 3\n", "DP-P013"),
        (b"package = ['polars']\n", "DP-P013"),
        (b"[[package]]\nversion = '1'\n", "DP-P013"),
    ],
)
def test_what_uv_did_not_write_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "uv.lock").write_bytes(content)
    with pytest.raises(UsedWrongly, match=rf"^{code} uv\.lock is not a lock file of uv: "):
        locked_packages(tmp_path / "uv.lock")
