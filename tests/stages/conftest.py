"""What tests of stages share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture
def quiet() -> Iterator[None]:
    """Without what Dagster says of its own beginnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
