-- One row for each carrier and day it had flights scheduled.

with flights as (

    select * from {{ source('clean', 'flights') }}

),

by_day as (

    select
        flight_date,
        carrier,
        count(*) as scheduled,
        count(departure) as departed,
        count(*) - count(departure) as cancelled,
        count(departure) - count(arrival_delay) as diverted,
        count(*) filter (where arrival_delay >= 15) as late,
        avg(arrival_delay)::double as mean_arrival_delay
    from flights
    group by all

)

select
    by_day.*,
    airlines.name as airline
from by_day
inner join {{ source('clean', 'airlines') }} as airlines on airlines.carrier = by_day.carrier
