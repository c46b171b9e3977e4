"""The bare peer: the same data product as plain Dagster assets, as a competent engineer writes them without us."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from benchmarks import bare_dbt, bare_model
from benchmarks.bare_clean import SELECTS
from benchmarks.bare_file import read_csv
from benchmarks.bare_lake import BUILD, SHOWN, Lake

MONTHS = dg.StaticPartitionsDefinition([f"2013-{month:02}-01" for month in range(1, 13)])
AT_ONCE = dg.BackfillPolicy.single_run()
FILES = {
    "raw_airlines": "airlines.csv",
    "raw_airports": "airports.csv",
    "raw_flights": "flights.csv.zip",
    "raw_planes": "planes.csv",
    "raw_weather": "weather.csv",
}
FUNCTIONS = frozenset({"flights", "planes", "weather"})
PARTITIONED = frozenset({"raw_flights", "flights"})
MARTS = ("daily_performance", "route_punctuality", "flight_features")
PUBLISHED = (*SELECTS, *MARTS, "delay_predictions")
Result = dg.MaterializeResult[Any]


def definitions(root: Path) -> dg.Definitions:
    """All assets of the project in `root`; parses its dbt project as dagster-dbt does when it is loaded."""
    return dg.Definitions(
        assets=[
            *(_extract(name, file) for name, file in FILES.items()),
            *(_clean(name) for name in SELECTS),
            _transform(root, bare_dbt.prepare(root)),
            _train(root),
            _score(root),
            _publish(),
        ],
        resources={"lake": Lake(root=str(root))},
        executor=dg.in_process_executor,
    )


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey([SHOWN, name])


def _months(name: str) -> dg.PartitionsDefinition[str] | None:
    return MONTHS if name in PARTITIONED else None


def _extract(name: str, file: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=_key(name), group_name="extract", kinds={"file"}, partitions_def=_months(name), backfill_policy=AT_ONCE
    )
    def extract(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        month = ", strftime(make_date(year::int, month::int, 1), '%Y-%m-%d') as _dp_partition"
        select = f"select *{month if name in PARTITIONED else ''} from rows"
        lake.connection.register("rows", read_csv(file))
        return Result(metadata={"dagster/row_count": lake.write(name, select, _asked(context, name))})

    return extract


def _clean(name: str) -> dg.AssetsDefinition:
    raw = f"raw_{name}"

    @dg.asset(
        key=_key(name),
        deps=[_key(raw)],
        group_name="clean",
        kinds={"table"},
        partitions_def=_months(name),
        backfill_policy=AT_ONCE,
    )
    def clean(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        partitions, source = _asked(context, name), f"lake.{BUILD}.{raw}"
        if name in FUNCTIONS:
            where = "where list_contains($1, _dp_partition)" if partitions else ""
            read = lake.connection.execute(f"from {source} {where}", [partitions] if partitions else None).pl()
            function = getattr(importlib.import_module("flights.cleaning"), name)
            lake.connection.register("cleaned", function(read.lazy()).collect())
            source = "cleaned"
        rows = lake.write(name, SELECTS[name].format(rows=source), partitions)
        return Result(metadata={"dagster/row_count": rows})

    return clean


def _transform(root: Path, models: dict[str, list[str]]) -> dg.AssetsDefinition:
    specs = [
        dg.AssetSpec(_key(name), deps=[_key(read) for read in reads], group_name="transform", kinds={"dbt", "table"})
        for name, reads in models.items()
    ]

    @dg.multi_asset(name=f"{SHOWN}__transform", specs=specs)
    def transform(lake: Lake) -> Iterator[Result]:
        bare_dbt.build(root)
        for spec in specs:
            rows = lake.connection.execute(f"select count(*) from lake.{BUILD}.{spec.key.path[-1]}").fetchall()
            yield Result(asset_key=spec.key, metadata={"dagster/row_count": rows[0][0]})

    return transform


def _train(root: Path) -> dg.AssetsDefinition:
    @dg.asset(key=_key("delay"), deps=[_key("flight_features")], group_name="train", kinds={"mlflow"})
    def train(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        version, rows = bare_model.train(lake.connection, f"lake.{BUILD}.flight_features", root)
        return Result(metadata={"version": version, "rows": rows})

    return train


def _score(root: Path) -> dg.AssetsDefinition:
    deps = [_key("flight_features"), _key("delay")]

    @dg.asset(key=_key("delay_predictions"), deps=deps, group_name="score", kinds={"table"})
    def score(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        trained = context.instance.get_latest_materialization_event(_key("delay"))
        assert trained is not None and trained.asset_materialization is not None
        version = str(trained.asset_materialization.metadata["version"].value)
        table = f"lake.{BUILD}.flight_features"
        lake.connection.register("predictions", bare_model.predict(lake.connection, table, version, root))
        select = "select * replace (flight_date::date as flight_date) from predictions"
        rows = lake.write("delay_predictions", select, [])
        return Result(metadata={"dagster/row_count": rows})

    return score


def _publish() -> dg.AssetsDefinition:
    deps = [_key(name) for name in (*PUBLISHED, "delay")]

    @dg.asset(key=_key("publication"), deps=deps, group_name="publish", kinds={"ducklake"})
    def publish(lake: Lake) -> None:
        connection = lake.connection
        snapshot = connection.execute("from ducklake_current_snapshot('lake')").fetchall()[0][0]
        connection.execute("begin")
        for name in PUBLISHED:
            source = f"lake.{BUILD}.{name} at (version => {snapshot})"
            described = connection.execute(f"describe select * from {source}").fetchall()
            columns = ", ".join(column for column, *_ in described if not column.startswith("_dp_"))
            connection.execute(f"create or replace view lake.{SHOWN}.{name} as select {columns} from {source}")
        connection.execute("commit")

    return publish


def _asked(context: dg.AssetExecutionContext, name: str) -> list[str]:
    return list(context.partition_keys) if name in PARTITIONED else []
