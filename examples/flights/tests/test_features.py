"""The model may know only what is known before departure."""

from __future__ import annotations

from pathlib import Path

import duckdb
import yaml

PROJECT = Path(__file__).parent.parent
KNOWN_LATER = ["departure", "departure_delay", "arrival", "arrival_delay", "air_time"]
FLIGHTS = """
create table flights as select * from (values
    (date '2013-01-01', timestamp '2013-01-01 10:00', 'UA', 1, 'EWR', 'IAH', 515, 517, 2, 819, 830, 11, 227, 1400),
    (date '2013-01-01', timestamp '2013-01-01 10:00', 'AA', 2, 'EWR', 'MIA', 529, 533, 4, 830, 850, 20, 160, 1085),
    (date '2013-01-01', timestamp '2013-01-01 11:00', 'B6', 3, 'JFK', 'BQN', 600, null, null, 900, null, null, null,
     1576)
) as t(flight_date, scheduled_hour_utc, carrier, flight, origin, dest, scheduled_departure, departure, departure_delay,
       scheduled_arrival, arrival, arrival_delay, air_time, distance)
"""
WEATHER = """
create table weather as select origin, hour_utc, hour(hour_utc)::double as humidity, 30.0 as dew_point,
    10.0 as wind_speed, 0.0 as precipitation, 1000.0 + hour(hour_utc) as pressure, 10.0 as visibility
from (values ('EWR'), ('JFK')) as o(origin),
    range(timestamp '2013-01-01', timestamp '2013-01-02', interval 1 hour) as h(hour_utc)
"""


def trained_on() -> list[str]:
    """The features of the Train component."""
    return yaml.safe_load((PROJECT / "src/flights/defs/train/defs.yaml").read_text())["attributes"]["features"]


def features(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    """The model's features of every flight, from the dbt model's own SQL."""
    sql = (PROJECT / "dbt/models/flight_features.sql").read_text()
    for table in ("flights", "weather"):
        sql = sql.replace("{{ source('clean', '" + table + "') }}", table)
    return connection.execute(f"select flight, {', '.join(trained_on())} from ({sql}) order by flight").fetchall()


def test_no_feature_changes_when_all_that_is_known_later_is_erased() -> None:
    connection = duckdb.connect()
    connection.execute(FLIGHTS + ";" + WEATHER)
    before = features(connection)
    connection.execute("update flights set " + ", ".join(f"{column} = null" for column in KNOWN_LATER))
    assert features(connection) == before
    assert len(before) == 3


def test_the_erasing_would_be_noticed() -> None:
    connection = duckdb.connect()
    connection.execute(FLIGHTS + ";" + WEATHER)
    before = connection.execute("select flight, departure_delay from flights order by flight").fetchall()
    connection.execute("update flights set departure_delay = null")
    assert connection.execute("select flight, departure_delay from flights order by flight").fetchall() != before


def test_the_weather_is_that_of_the_last_full_hour() -> None:
    connection = duckdb.connect()
    connection.execute(FLIGHTS + ";" + WEATHER)
    humidity = trained_on().index("humidity") + 1
    assert [row[humidity] for row in features(connection)] == [9.0, 9.0, 10.0]
