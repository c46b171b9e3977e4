"""A dbt model with a custom schema stays in the build area when the project's own macro says so."""

from __future__ import annotations

from pathlib import Path

from dataops_platform.settings.project import load_project
from dataops_platform.stages.transform.graph import read_graph

MACRO = "{% macro generate_schema_name(custom_schema_name, node) %}{{ target.schema }}{% endmacro %}\n"


def test_a_projects_own_macro_keeps_custom_schemas_in_the_build_area(orders: Path) -> None:
    settings = orders / "dbt" / "dbt_project.yml"
    settings.write_text(settings.read_text().replace("table", "table\n    +schema: marketing"))
    (orders / "dbt" / "macros").mkdir()
    (orders / "dbt" / "macros" / "schemas.sql").write_text(MACRO)
    graph = read_graph(load_project(orders), orders / "dbt")
    assert [model.name for model in graph.models] == ["monthly_sales"]
