"""A team's tests of its contracts: a contract file and pytest are all they need.

`assert_holds` and `assert_breaks` judge rows with the engine that runs in production. `example_rows` and
`rows_breaking` make rows from a contract. `rules_of` names its rules, so that each can be tested to fail.
"""

from dataops_platform.testing.asserts import assert_breaks, assert_holds
from dataops_platform.testing.breaking import rows_breaking, rules_of
from dataops_platform.testing.examples import example_rows

__all__ = ["assert_breaks", "assert_holds", "example_rows", "rows_breaking", "rules_of"]
