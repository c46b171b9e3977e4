select
    date_trunc('month', day)::date as month,
    customers.customer,
    sum(amount)::double as amount
from {{ source('clean', 'orders') }} as orders
inner join {{ source('clean', 'customers') }} as customers on customers.customer = orders.customer
group by all
