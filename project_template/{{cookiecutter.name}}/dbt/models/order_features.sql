select
    orders.order_id,
    orders.ordered_on,
    orders.product,
    orders.quantity,
    orders.unit_price,
    orders.discount,
    customers.country,
    orders.ordered_on - customers.joined_on as days_a_customer,
    -- days before, not orders before: orders of one day have no order among themselves
    count(*) over (
        partition by orders.customer_id
        order by orders.ordered_on
        range between unbounded preceding and interval 1 day preceding
    ) as earlier_orders,
    orders.returned
from {{ source('clean', 'orders') }} as orders
inner join {{ source('clean', 'customers') }} as customers on customers.customer_id = orders.customer_id
