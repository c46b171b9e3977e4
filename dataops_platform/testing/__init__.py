"""For a team's own tests of its contracts: a contract file and pytest are all it takes.

`assert_holds` and `assert_breaks` judge rows by the engine that judges them in production; `example_rows` and
`rows_breaking` make rows from the contract; `rules_of` names its rules, to see each of them fail once.
"""

from dataops_platform.testing.asserts import assert_breaks, assert_holds
from dataops_platform.testing.breaking import rows_breaking, rules_of
from dataops_platform.testing.examples import example_rows

__all__ = ["assert_breaks", "assert_holds", "example_rows", "rows_breaking", "rules_of"]
