"""Stories of tables: what is refused, corrected, restored, taken in from elsewhere, and equal."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.corpus.projects import CLEAN, DEFS, EXTRACT, ORDERS_CONTRACT, ORDERS_FILE, edit, guest, marts_shop, shop
from tests.corpus.story import Story
from tests.fixtures.contract_head import contract_head

MART = "dbt/models/monthly_sales.sql"


def refused_rows(folder: Path) -> dict[str, Any]:
    """Rows that a contract refuses are kept, decided about, and let in once."""
    story = Story(shop(folder))
    story.do("run")
    story.look("dev")
    story.built()
    story.do("contracts quarantine show orders")
    story.do("contracts quarantine release orders --rule amount:required --why guess")
    story.do("contracts quarantine release orders --rows data/orders.csv:4 --why credit", actor="bob")
    story.do("contracts quarantine drop orders --rule amount:required --why test")
    story.do("run")
    story.do("run --force")
    story.look("dev")
    story.built()
    story.do("contracts quarantine show orders")
    edit(story.project / ORDERS_FILE, "-4.00", "-400.00")
    story.change("the row that was let in says something else")
    story.do("run")
    story.look("dev")
    return story.end("dev")


def late_corrections(folder: Path) -> dict[str, Any]:
    """A month is corrected late, rows come twice, a delivery is put into another order, and two cannot be read."""
    story = Story(shop(folder))
    file = story.project / ORDERS_FILE
    story.do("run")
    story.look("dev")
    edit(file, "2024-02-02,4,cid,12.25", "2024-02-02,4,cid,13.25")
    story.change("a row of February is corrected")
    story.do("run --select raw_orders,orders --partition 2024-02-01")
    story.look("dev")
    story.do("run --select publication")
    story.look("dev")
    right = file.read_text()
    file.write_text(f"{right}2024-03-10,7,bob,8.00\n2024-03-20,2,cid,1.00\n2024-01-20,2,bob,7.00\n")
    story.change("a row of March comes twice, a key of January twice and again in March")
    story.do("run")
    story.look("dev")
    story.built()
    story.do("contracts quarantine show orders")
    header, *rows = right.splitlines()
    file.write_text("\n".join([header, *reversed(rows)]) + "\n")
    story.change("the right rows in reverse order")
    story.do("run")
    story.look("dev")
    for what, text in (("a row of no month", f"{right}2024-13-01,9,bob,1.00\n"), ("an empty file", "")):
        file.write_text(text)
        story.change(what)
        story.do("run")
    story.look("dev")
    return story.end("dev")


def marts(folder: Path) -> dict[str, Any]:
    """A mart whose test fails leaves what was there; put right, it is made again."""
    story = Story(marts_shop(folder))
    model = story.project / MART
    right = model.read_text()
    story.do("run")
    story.look("dev")
    story.built()
    edit(model, "sum(amount)::double", "nullif(sum(amount), 7)::double")
    story.change("a test of dbt fails")
    story.do("run")
    story.look("dev")
    story.built()
    story.stands("monthly_sales")
    model.write_text(right)
    edit(story.project / "data/customers.csv", "bob,Bob", "bob,Robert")
    story.change("the mart is put right, and a customer has another name")
    story.do("run")
    story.look("dev")
    story.built()
    return story.end("dev")


def foreign_table(folder: Path) -> dict[str, Any]:
    """A table that a plain asset wrote is taken in by a clean table, and another content of it once more."""
    story = Story(guest(folder, {"src/guest/defs/publish/defs.yaml": PUBLISH_MEMBERS}))
    for unused in ("train", "score"):
        shutil.rmtree(story.project / "src/guest/defs" / unused)
    story.do("run --select members")
    story.do("run")
    story.look("dev")
    story.built()
    story.do("contracts quarantine show members")
    edit(story.project / "src/guest/definitions.py", "* 200 as age", "* 1 as age")
    story.change("the team's asset writes other ages")
    story.do("run")
    story.look("dev")
    story.built()
    return story.end("dev")


def equality(folder: Path) -> dict[str, Any]:
    """Values that are equal in other words and another order of rows make the same publication."""
    story = Story(shop(folder))
    for path, text in EQUALITY.items():
        (story.project / path).write_text(text)
    file = story.project / ORDERS_FILE
    for what, rows in DELIVERIES.items():
        file.write_text("id,whole,fraction,price,flag,day,moment,zoned,note\n" + "".join(f"{row}\n" for row in rows))
        story.change(what)
        story.do("run")
        story.look("dev")
    story.built()
    story.do("contracts quarantine show orders")
    return story.end("dev")


PUBLISH_MEMBERS = """\
type: dataops_platform.Publish

attributes:
  tables: [members]
"""
EQUALITY = {
    ORDERS_CONTRACT: contract_head()
    + """\
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: whole, logicalType: integer}
      - {name: fraction, logicalType: number}
      - {name: price, logicalType: number, physicalType: "decimal(10,3)"}
      - {name: flag, logicalType: boolean}
      - {name: day, logicalType: date}
      - {name: moment, logicalType: timestamp}
      - {name: zoned, logicalType: timestamp, physicalType: timestamptz}
      - {name: note, logicalType: string}
""",
    f"{DEFS}/clean/defs.yaml": CLEAN.replace(", partitions: months", ""),
    f"{DEFS}/extract/defs.yaml": EXTRACT.replace(", partitions: months, partition_columns: [day]", ""),
}
DELIVERIES = {
    "values": [
        "1,1,1,1,true,2024-01-03,2024-01-03 10:00:00,2024-01-03T12:00:00+02:00,x",
        "2,0,-0.0,0,false,2024-01-04,2024-01-04,2024-01-04T00:00:00-01:00,1",
        "3,,,,,,,,",
        "4,-7,1e3,2.5,true,2024-02-29,2024-02-29 23:59:59.5,2024-02-29 23:59:59Z,é",
        "5,1,NaN,1,true,2024-01-03,2024-01-03 10:00:00,2024-01-03T12:00:00+02:00,no number",
    ],
    "the same in other words and another order": [
        "4,-007,1000.0,2.500,TRUE,2024-2-29,2024-02-29T23:59:59.500,2024-03-01 00:59:59+01:00,é",
        "3,,,,,,,,",
        "2,-0,0,0.000,false,2024-01-04,2024-01-04 00:00:00,2024-01-04 01:00:00Z,1",
        "1,+1,1.00,1.0,true,2024-01-03,2024-01-03T10:00,2024-01-03 10:00:00Z,x",
        "5,1,nan,1,true,2024-01-03,2024-01-03 10:00:00,2024-01-03T12:00:00+02:00,no number",
    ],
}
