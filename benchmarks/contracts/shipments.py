"""The table under contract: one Parquet file for each size and kind of key, the same at every making."""

from __future__ import annotations

import hashlib
from pathlib import Path

from benchmarks.contracts.planted import ADDED_PERIOD, FAULTS, PARTNER, PERIOD, Key, added_rows, planted, position

CONTRACT = Path(__file__).with_name("shipments.odcs.yaml")
CACHE = Path(__file__).parent / ".cache"
"""Data, environments and contracts of the benchmark; git knows nothing of it."""

COLUMNS = (
    "id",
    "sku",
    "origin",
    "status",
    "quantity",
    "weight_kg",
    "price",
    "ordered_on",
    "shipped_at",
    "express",
    "customer",
    "note",
)

_KEYS = {"integer": "number", "string": "'SHP-' || to_base(number, 36, 10)"}
_CODES = (
    "ATL",
    "CDG",
    "DEN",
    "EWR",
    "FRA",
    "GRU",
    "HKG",
    "IST",
    "JFK",
    "LHR",
    "MUC",
    "NRT",
    "ORD",
    "PEK",
    "SIN",
    "ZRH",
)

BREAKS: dict[str, dict[str, str]] = {
    "id:required": {"id": "null"},
    "primary_key": {"id": "lead(id) over (order by row)"},
    "sku:required": {"sku": "null"},
    "sku:pattern": {"sku": "sku || '0'"},
    "origin:required": {"origin": "null"},
    "origin:pattern": {"origin": "lower(origin)"},
    "status:required": {"status": "null"},
    "status:enum": {"status": "'New'"},
    "quantity:required": {"quantity": "null"},
    "quantity:minimum": {"quantity": "0"},
    "quantity:maximum": {"quantity": "1001"},
    "weight_kg:exclusive_minimum": {"weight_kg": "0"},
    "weight_kg:maximum": {"weight_kg": "30000.001"},
    "price:required": {"price": "null"},
    "price:minimum": {"price": "-0.01"},
    "price:maximum": {"price": "100000.01"},
    "ordered_on:required": {"ordered_on": "null"},
    "express:required": {"express": "null"},
    "customer:required": {"customer": "null"},
    "customer:min_length": {"customer": "'C123456'"},
    "customer:max_length": {"customer": "'C12345678'"},
    "note:min_length": {"note": "''"},
    "note:max_length": {"note": "repeat('é', 81)"},
    "shipped_after_order": {"shipped_at": "ordered_on::timestamp - interval 1 second"},
    "delivered_was_shipped": {"status": "'delivered'", "shipped_at": "null"},
}
"""Values that break each rule and no other, by as little as can be."""


def make(rows: int, key: Key, folder: Path = CACHE) -> Path:
    """The file of so many rows, made unless it is there. Raises: ValueError when they are too few for every fault."""
    if rows < PERIOD:
        raise ValueError(f"{rows} rows are too few for one of each fault; take {PERIOD} or more")
    pairs = planted(rows)["primary_key"] // 2
    partner = f"{PERIOD} * ({pairs - 1} - i // {PERIOD}) + {round(PARTNER * PERIOD)}"
    return _made(folder / f"shipments-{key}-{rows}", _rows_sql(0, rows, PERIOD, partner, key))


def make_addition(rows: int, key: Key, folder: Path = CACHE) -> Path:
    """The file of the rows that come after `rows` others; some have a key that one of those has."""
    partner = f"{PERIOD} * ((i - {rows}) // {ADDED_PERIOD}) + {round(PARTNER * PERIOD) + 1}"
    return _made(
        folder / f"shipments-{key}-{rows}-added", _rows_sql(rows, added_rows(rows), ADDED_PERIOD, partner, key)
    )


def make_broken(key: Key, folder: Path = CACHE) -> Path:
    """A small file of the same kind in which each of the 25 rules is broken by one row (a key by two), for the proof
    that a side judges them all.
    """
    cases: dict[str, str] = {}
    for index, values in enumerate(BREAKS.values()):
        for column, value in values.items():
            cases[column] = f"{cases.get(column, '')} when row = {index} then {value}"
    broken = ", ".join(f"(case{when} else {column} end) as {column}" for column, when in cases.items())
    sound = f"select *, row_number() over () - 1 as row from ({_rows_sql(1, 100, PERIOD, '0', key)})"
    return _made(folder / f"shipments-{key}-broken", f"select * exclude (row) replace ({broken}) from ({sound})")


def contract_for(key: Key, folder: Path = CACHE) -> Path:
    """The contract, with the key's type; written anew each time."""
    written = CONTRACT.read_text().replace("name: id, logicalType: integer", f"name: id, logicalType: {key}")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"shipments-{key}.odcs.yaml"
    path.write_text(written)
    return path


def _made(stem: Path, sql: str) -> Path:
    """Writes beside, then switches. The name has the digest of how it is made: another making is another file."""
    import duckdb

    digest = hashlib.sha256(f"{duckdb.__version__} {sql}".encode()).hexdigest()[:8]
    path = stem.with_name(f"{stem.name}-{digest}.parquet")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".making")
        with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(path.parent / "spill")}) as connection:
            connection.execute(f"copy ({sql}) to '{beside}' (format parquet)")
        beside.replace(path)
    return path


def _rows_sql(first: int, rows: int, period: int, partner: str, key: Key) -> str:
    """SQL of rows `first` to `first + rows - 1`; each value depends on the number of its row alone."""
    at = {rule: f"(i - {first}) % {period} = {position(rule, period)}" for rule in FAULTS}
    codes = "[" + ", ".join(f"'{code}'" for code in _CODES) + "]"
    return f"""
with numbered as (select range as i from range({first}, {first + rows})),
drawn as (
    select i,
        ((case when {at["primary_key"]} then {partner} else i end) * 805306457) % 1099511627776 as number,
        hash(i, 1) as a, hash(i, 2) as b, hash(i, 3) as c, hash(i, 4) as d, hash(i, 5) as e,
        (a % 20000)::integer as article, (b % 100)::integer as stage,
        date '2023-01-01' + (c % 1000)::integer as day
    from numbered
)
select
    {_KEYS[key]} as id,
    chr(65 + article % 26) || case when {at["sku:pattern"]} then 'x' else chr(65 + article // 26 % 26) end
        || chr(65 + article // 676 % 26) || '-' || lpad(((article * 7) % 10000)::varchar, 4, '0') as sku,
    {codes}[1 + (d % {len(_CODES)})::integer] as origin,
    case when {at["status:enum"]} then 'lost' when stage < 5 then 'new' when stage < 10 then 'packed'
        when stage < 25 then 'shipped' when stage < 95 then 'delivered' else 'returned' end as status,
    (case when {at["quantity:maximum"]} then 1001 + e % 1000 else 1 + e % 1000 end)::bigint as quantity,
    case when (b // 100) % 10 = 0 then null else (1 + (c // 1000) % 29999999) / 1000.0 end::double as weight_kg,
    (((d // 100) % 10000000) / 100)::decimal(12, 2) as price,
    day as ordered_on,
    case when stage >= 10 then day::timestamp + to_seconds((e // 1000) % 864000) end as shipped_at,
    (a // 20000) % 8 = 0 as express,
    case when {at["customer:required"]} then null else 'C' || lpad(((b // 1000) % 1000000)::varchar, 7, '0') end
        as customer,
    case when (c // 100) % 10 < 3 then 'leave with ' || substr(md5(d::varchar), 1, 1 + (d % 32)::integer) end as note
from drawn
"""
