"""Tables that stress equality: small queries by what is asked of them, one column or a few."""

from __future__ import annotations

VALUES = {
    "one": "1::tinyint|1::bigint|1::hugeint|1.0::float|1::double|1.00::decimal(10,2)|1::decimal(4,0)|'1'|true",
    "zero": "0::bigint|0.0::double|-0.0::double|-0.0::float|0.00::decimal(6,2)|'0'|false",
    "no number": "'nan'::double|'nan'::float|'-nan'::double|'inf'::double|'inf'::float|'-inf'::double|'nan'",
    "null": "null::bigint|null::double|null::varchar|null::timestamptz|null::bigint[]|''|'~'|'null'|' '",
    "tenth": "0.1::double|0.1::float|0.1::decimal(3,1)|0.100::decimal(5,3)|0.5::double|0.5::float|0.50::decimal(4,2)",
    "large": "9007199254740992::bigint|9007199254740992::double|9007199254740993::bigint|-9007199254740992::hugeint",
    "text": "'x'|'X'|'x '|'é'|'e\u0301'|'2024-01-03'|concat('a', chr(31), 'b')|'ab'",
    "day": "'2024-01-03'::date|'2024-01-04'::date|'2024-01-03'::timestamp|'10:00:00'::time|'10:00:01'::time",
    "moment": (
        "'2024-01-03 10:00:00'::timestamp|'2024-01-03 10:00:00'::timestamp_s|'2024-01-03 10:00:00'::timestamp_ms"
        "|'2024-01-03 10:00:00'::timestamp_ns|'2024-01-03 10:00:00.000000001'::timestamp_ns"
        "|'2024-01-03 10:00:00.5'::timestamp|'infinity'::timestamp|'-infinity'::timestamp"
    ),
    "zoned": (
        "'2024-01-03 12:00:00+02'::timestamptz|'2024-01-03 10:00:00Z'::timestamptz|'2024-01-03 10:00:00'::timestamp"
        "|'2024-03-31 03:00:00+02'::timestamptz|'2024-03-31 01:00:00Z'::timestamptz"
    ),
    "nested": (
        "[1, 2]|[2, 1]|[1, null]|[1]|[]::bigint[]|['a', 'b']|['a, b']|{'a': 1, 'b': null}|{'a': null, 'b': 1}"
        "|{'a': [1, 2]}|map {'a': 1}|map {'b': 1}"
    ),
}
"""Values of a single column `v`, written `one|other`; each is a table of one row."""

PAIR = "(values (1, 10, 'ab', 'c'), (2, 20, null, 'd')) as t(id, n, a, b)"
TABLES = {
    "as it is": f"select id, n, a, b from {PAIR}",
    "rows in another order": f"select id, n, a, b from {PAIR} order by id desc",
    "columns in another order": f"select b, n, id, a from {PAIR}",
    "numbers of other types": f"select id::double as id, n::decimal(9,3) as n, a, b from {PAIR}",
    "with a bookkeeping column": f"select *, 7 as _dp_line from {PAIR}",
    "a column renamed": f"select id, n as m, a, b from {PAIR}",
    "two columns renamed crosswise": f"select id as n, n as id, a, b from {PAIR}",
    "a value changed": f"select id, n + (id = 1)::int as n, a, b from {PAIR}",
    "two rows change a value": f"select id, 30 - n as n, a, b from {PAIR}",
    "two columns of a row change their values": (
        f"select if(id = 1, n, id) as id, if(id = 1, id, n) as n, a, b from {PAIR}"
    ),
    "neighbours run together": f"select id, n, left(a, 1) as a, if(id = 1, 'bc', b) as b from {PAIR}",
    "a null in another column": f"select id, n, coalesce(a, b) as a, if(id = 2, null, b) as b from {PAIR}",
    "a row twice": f"select * from {PAIR} union all select * from {PAIR} where id = 1",
    "another row twice": f"select * from {PAIR} union all select * from {PAIR} where id = 2",
    "a row less": f"select * from {PAIR} where id = 1",
    "two equal rows": "select 1 as id, 10 as n, 'ab' as a, 'c' as b from range(2)",
}
"""Tables of several rows and columns."""


def queries() -> dict[str, str]:
    """All queries by name."""
    single = {value: f"select {value} as v" for values in VALUES.values() for value in values.split("|")}
    return {**single, **TABLES}
