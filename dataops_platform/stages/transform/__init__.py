"""Tables become marts through dbt, audited and adopted together."""
