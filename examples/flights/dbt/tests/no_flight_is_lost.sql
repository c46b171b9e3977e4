-- Every flight is counted once in daily_performance and has one row of features.

with counted as (

    select
        (select count(*) from {{ source('clean', 'flights') }}) as flights,
        (select sum(scheduled) from {{ ref('daily_performance') }}) as scheduled,
        (select count(*) from {{ ref('flight_features') }}) as features

)

select * from counted where flights <> scheduled or flights <> features
