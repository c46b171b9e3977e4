select
    ordered_on,
    product,
    count(*) as orders,
    sum(quantity * unit_price)::double as revenue,
    count(*) filter (where returned) as returned_orders
from {{ source('clean', 'orders') }}
group by all
