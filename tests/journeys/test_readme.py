"""The README tells the truth: what it says to type is typed here."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.flights import Year
from tests.fixtures.terminal import blocks, typed, unsaid

pytestmark = pytest.mark.journey


def test_every_block_of_the_readme_runs(own_year: Year) -> None:
    """The first block made the year, and what it printed was kept; the others are typed in a copy."""
    clone = own_year.clone
    found = blocks((clone / "README.md").read_text())
    shell = [block for language, block in found if language == "bash"]
    assert [block.strip().splitlines()[0] for block in shell] == [
        "make demo",
        "cd examples/flights",
        "cat > orders.odcs.yaml <<'EOF'",
        "make test",
    ]
    assert shell[0].strip() == "make demo"
    (new,) = (block for language, block in found if language == "console" and " init my-shop" in block)
    said = [line.partition("#")[0].strip() for line in new.splitlines()]
    assert said == [
        ".venv/bin/dataops init my-shop --into ..",
        "cd ../my-shop && make run",
        "make test",
        "make up",
    ]  # typed by test_interpreter from a checkout, and by test_ten_minutes from a wheel
    example = next(text for language, text in found if language == "text")
    figures = [line for line in example.splitlines() if re.search(r"\d", line)]
    assert unsaid("\n".join(figures), own_year.said) == []
    for block in shell[1:-1]:  # the last one is what runs the tests
        done = typed(clone, "bash", block)
        assert done.exit_code == 0, done.out + done.err
        if block.startswith("cat > orders"):
            assert "orders 1.0.0 is BROKEN: 2 of 3 rows refused" in done.out
            assert done.out.endswith("refused\n")
    (example_code,) = (block for language, block in found if language == "python")
    done = typed(clone, "python", example_code + RUN)
    assert "RED: orders 1.0.0 is broken: customer:required 1, amount:minimum 1, primary_key 2" in done.out, done.err


RUN = """
result = defs.resolve_implicit_global_asset_job_def().execute_in_process(raise_on_error=False)
(check,) = result.get_asset_check_evaluations()
assert not check.passed and not result.success
print("RED:", check.description)
"""
