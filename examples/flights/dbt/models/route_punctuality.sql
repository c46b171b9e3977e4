-- One row for each route: a pair of origin and destination.

with flown as (

    select * from {{ source('clean', 'flights') }} where arrival_delay is not null

)

select
    flown.origin,
    flown.dest,
    airports.name as destination,
    count(*) as flights,
    avg((arrival_delay < 15)::integer)::double as punctual_share,
    median(arrival_delay)::double as median_arrival_delay,
    quantile_cont(arrival_delay, 0.9)::double as p90_arrival_delay
from flown
left join {{ source('clean', 'airports') }} as airports on airports.faa = flown.dest
group by all
