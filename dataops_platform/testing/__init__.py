"""Test contracts in a team's own pytest suite; a contract file is all it needs.

`assert_holds` and `assert_breaks` check rows with the engine that runs in production. `example_rows` and
`rows_breaking` generate rows from a contract. `rules_of` names its rules, so that each can be tested to fail.
"""

from dataops_platform.testing.asserts import assert_breaks, assert_holds
from dataops_platform.testing.breaking import rows_breaking, rules_of
from dataops_platform.testing.examples import example_rows

__all__ = ["assert_breaks", "assert_holds", "example_rows", "rows_breaking", "rules_of"]
