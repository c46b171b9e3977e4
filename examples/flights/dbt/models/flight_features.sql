-- One row for each scheduled flight: what is known before it departs, and, for training, whether it came late.
-- The weather is that of the last full hour before the scheduled hour of departure.

with flights as (

    select * from {{ source('clean', 'flights') }}

),

weather as (

    select * from {{ source('clean', 'weather') }}

)

select
    flights.flight_date,
    flights.carrier,
    flights.flight,
    flights.origin,
    flights.dest,
    flights.scheduled_departure // 100 as scheduled_hour,
    flights.scheduled_departure // 100 * 60 + flights.scheduled_departure % 100 as scheduled_minute,
    flights.distance,
    count(*) over (partition by flights.origin, flights.scheduled_hour_utc) as flights_same_hour,
    now.humidity,
    now.dew_point,
    now.wind_speed,
    now.precipitation,
    now.pressure,
    now.visibility,
    now.pressure - before.pressure as pressure_change_3h,
    (flights.arrival_delay >= 15) as arrived_late
from flights
left join weather as now
    on now.origin = flights.origin and now.hour_utc = flights.scheduled_hour_utc - interval 1 hour
left join weather as before
    on before.origin = flights.origin and before.hour_utc = flights.scheduled_hour_utc - interval 4 hour
