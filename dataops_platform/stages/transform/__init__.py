"""The transform stage: dbt makes marts from tables, which are audited and adopted together."""
