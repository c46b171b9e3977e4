"""The SQL that types each clean table: by hand what the contracts of `examples/flights` say of types.

`{rows}` is what the project's own cleaning function gave. A plain `where` leaves out the rows that the contracts
refuse, so that both lakes hold the same rows and every later step has the same work; nothing is kept of those rows.
"""

SELECTS = {
    "airlines": "select carrier, name, _dp_file, _dp_line from {rows}",
    "airports": """
        select faa, name, lat::double as lat, lon::double as lon, alt::bigint as alt, tz::bigint as tz, dst, tzone,
            _dp_file, _dp_line
        from {rows}
        where tzone <> 'NA' and (lon::double < 0 or faa = 'SYA')
    """,
    "planes": """
        select tail_number, nullif(built, 'NA')::bigint as built, type, manufacturer, model, engines::bigint as engines,
            seats::bigint as seats, nullif(speed, 'NA')::bigint as speed, engine, _dp_file, _dp_line
        from {rows}
    """,
    "weather": """
        select origin, hour_utc::timestamp as hour_utc, nullif(temperature, 'NA')::double as temperature,
            nullif(dew_point, 'NA')::double as dew_point, nullif(humidity, 'NA')::double as humidity,
            nullif(wind_direction, 'NA')::bigint as wind_direction, nullif(wind_speed, 'NA')::double as wind_speed,
            nullif(wind_gust, 'NA')::double as wind_gust, nullif(precipitation, 'NA')::double as precipitation,
            nullif(pressure, 'NA')::double as pressure, nullif(visibility, 'NA')::double as visibility,
            _dp_file, _dp_line
        from {rows}
        where temperature <> 'NA' and wind_speed <> 'NA' and wind_speed::double <= 100
            and (month(hour_utc::timestamp) not between 5 and 9 or temperature::double >= 32)
    """,
    "flights": """
        with typed as (
            select flight_date::date as flight_date, scheduled_hour_utc::timestamp as scheduled_hour_utc, carrier,
                flight::bigint as flight, origin, dest, nullif(tail_number, 'NA') as tail_number,
                scheduled_departure::bigint as scheduled_departure, nullif(departure, 'NA')::bigint as departure,
                nullif(departure_delay, 'NA')::bigint as departure_delay,
                scheduled_arrival::bigint as scheduled_arrival, nullif(arrival, 'NA')::bigint as arrival,
                nullif(arrival_delay, 'NA')::bigint as arrival_delay, nullif(air_time, 'NA')::bigint as air_time,
                distance::bigint as distance, _dp_file, _dp_line, _dp_partition
            from {rows}
        )
        select * from typed
        where not coalesce(
            departure > 2359 or arrival > 2359 or departure_delay < -30 or arrival_delay - departure_delay < -90
            or distance < 50 or distance * 60.0 / air_time not between 80 and 600
            or not regexp_matches(tail_number, '^N[0-9A-Z]{{4,5}}$'),
            false
        )
    """,
}
