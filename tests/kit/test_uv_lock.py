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
    "text", ["<<<<<<< HEAD\n", "package = 3\n", "[[package]]\nversion = '1'\n", "package = ['polars']\n"]
)
def test_what_uv_did_not_write_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "uv.lock").write_text(text)
    with pytest.raises(UsedWrongly, match=r"^DP-P012 uv\.lock is no lock of uv: "):
        locked_packages(tmp_path / "uv.lock")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(UsedWrongly, match=r"^DP-P012"):
        locked_packages(tmp_path / "uv.lock")
