"""An ODCS file is read strictly: every fault is refused with its place, and what is enforced makes the digest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dataops_platform.contracts.contract import Column, Contract, Rule
from dataops_platform.contracts.odcs import load_contract
from dataops_platform.kit.codes import entry
from dataops_platform.kit.errors import UsedWrongly, sentences
from tests.fixtures.contract_head import contract_head

Written = Callable[..., Contract]
HEAD = contract_head(version="1.2.3", team="sales")
COLUMN = "{name: a, logicalType: integer}"


def said(contract: Written, *properties: str, quality: tuple[str, ...] = (), head: str = HEAD) -> str:
    """What is said about a contract that is refused: the file's fault, and what to do where that depends on it."""
    with pytest.raises(UsedWrongly) as caught:
        contract(*properties, quality=quality, head=head)
    error = caught.value
    assert error.code[:4] in ("DP-C", "DP-Y")
    fix = error.fix if "{" in entry(error.code).fix else ""
    return sentences(error.message, fix).removeprefix("orders.odcs.yaml:")


def test_a_contract_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "orders.odcs.yaml"
    path.write_text("""\
apiVersion: v3.2.0
kind: DataContract
id: shop.orders
name: Orders
version: 2.0.1
status: draft
domain: sales
tags: [core]
description: {purpose: Every order., limitations: None known.}
team:
  name: sales_team
  members: [{username: ann, role: Owner, dateIn: 2024-01-01}]
roles: [{role: analyst, access: read}]
support: [{channel: chat, url: "https://example.org"}]
schema:
  - name: orders
    physicalType: table
    tags: [daily, core]
    dataGranularityDescription: one row for each order
    properties:
      - name: order_id
        logicalType: integer
        primaryKey: true
        primaryKeyPosition: 1
        description: Number of the order.
        logicalTypeOptions: {minimum: 1, exclusiveMaximum: 1000000}
        customProperties: [{property: knownAt, value: order}]
      - name: day
        logicalType: date
        primaryKey: true
        examples: [2024-01-01]
      - name: state
        logicalType: string
        required: true
        enum: [{value: open}, {value: paid, description: Money came.}]
        logicalTypeOptions: {minLength: 1, maxLength: 9, pattern: "^[a-z]+$"}
      - name: customer
        logicalType: string
        classification: confidential
        relationships: [{to: customers.customer}]
        quality:
          - {name: no_blank, engine: duckdb, implementation: "customer = trim(customer)", severity: warning}
      - name: amount
        logicalType: number
        physicalType: DECIMAL(9, 2)
        unique: true
        logicalTypeOptions: {exclusiveMinimum: -0.5, maximum: 1.0e+6}
    quality:
      - {name: paid_costs, engine: duckdb, implementation: "state <> 'paid' or amount > 0", description: Not free.}
      - {type: text, description: Amounts are in euros.}
""")
    contract = load_contract(path)
    assert (contract.id, contract.version, contract.table, contract.owner, contract.description, contract.path) == (
        "shop.orders",
        "2.0.1",
        "orders",
        "team:sales_team",
        "Every order.",
        path,
    )
    assert contract.tags == ("core", "daily")
    assert contract.columns == (
        Column(
            "order_id", "integer", "bigint", "Number of the order.", required=True, primary_key=True, known_at="order"
        ),
        Column("day", "date", "date", required=True, primary_key=True),
        Column("state", "string", "varchar", required=True),
        Column("customer", "string", "varchar", classification="confidential"),
        Column("amount", "number", "decimal(9,2)", unique=True),
    )
    assert contract.primary_key == ("order_id", "day")
    assert contract.rules == (
        Rule("order_id:type", "type", ("order_id",), "integer"),
        Rule("order_id:required", "required", ("order_id",)),
        Rule("order_id:minimum", "minimum", ("order_id",), 1),
        Rule("order_id:exclusive_maximum", "exclusive_maximum", ("order_id",), 1000000),
        Rule("day:type", "type", ("day",), "date"),
        Rule("day:required", "required", ("day",)),
        Rule("state:type", "type", ("state",), "string"),
        Rule("state:required", "required", ("state",)),
        Rule("state:min_length", "min_length", ("state",), 1),
        Rule("state:max_length", "max_length", ("state",), 9),
        Rule("state:pattern", "pattern", ("state",), "^[a-z]+$"),
        Rule("state:enum", "enum", ("state",), ("open", "paid")),
        Rule("customer:type", "type", ("customer",), "string"),
        Rule("customer:relationship", "relationship", ("customer",), "customers.customer"),
        Rule("customer:no_blank", "expression", ("customer",), "customer = trim(customer)", "warning"),
        Rule("amount:type", "type", ("amount",), "number"),
        Rule("amount:unique", "unique", ("amount",)),
        Rule("amount:maximum", "maximum", ("amount",), 1e6),
        Rule("amount:exclusive_minimum", "exclusive_minimum", ("amount",), -0.5),
        Rule("primary_key", "unique", ("order_id", "day")),
        Rule(
            "paid_costs",
            "expression",
            ("state", "amount"),
            "state <> 'paid' or amount > 0",
            description="Not free.",
        ),
    )
    assert {rule.name: rule.place for rule in contract.rules if rule.name in ("state:pattern", "paid_costs")} == {
        "state:pattern": "orders.odcs.yaml:36:58",
        "paid_costs": "orders.odcs.yaml:49:9",
    }
    assert contract.column("day").sql_type == "date"


def test_every_contract_of_the_example_is_read(flights: Path) -> None:
    found = {path.name.removesuffix(".odcs.yaml"): load_contract(path) for path in (flights / "contracts").iterdir()}
    assert len(found) > 5
    assert {name: contract.table for name, contract in found.items()} == {name: name for name in found}


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (
            HEAD.replace("version: 1.2.3", "version: 1.2"),
            "4:1 has an invalid 'version': Input should be a valid string (given: 1.2).",
        ),
        (
            HEAD.replace("version: 1.2.3", "version: v1.2.3"),
            r"4:1 has an invalid 'version': String should match pattern '^\d+\.\d+\.\d+$' (given: 'v1.2.3').",
        ),
        (
            HEAD.replace("apiVersion: v3.2.0", "apiVersion: v2.2.2"),
            r"1:1 has an invalid 'apiVersion': String should match pattern '^v3\.\d+\.\d+$' (given: 'v2.2.2').",
        ),
        (
            HEAD.replace("DataContract", "DataProduct"),
            "2:1 has an invalid 'kind': Input should be 'DataContract' (given: 'DataProduct').",
        ),
        (HEAD.replace("kind:", "knid:"), "2:1 has an unknown key 'knid'; did you mean 'kind'? (1 more in this file)."),
        (HEAD.replace("id: orders\n", ""), "1:1 lacks the key 'id'."),
        (
            HEAD.replace("{name: sales}", "sales"),
            "5:1 has an invalid 'team': Input should be a valid dictionary or instance of Team (given: 'sales').",
        ),
        (
            HEAD.replace("{name: sales}", "{name: Sales Team}"),
            "5:8 has an invalid 'team.name': String should match pattern '^[a-z0-9_-]+$' (given: 'Sales Team').",
        ),
        (
            HEAD.replace(
                "  - name: orders\n", "  - name: customers\n    properties: [" + COLUMN + "]\n  - name: orders\n"
            ),
            "6:1 has an invalid 'schema': List should have at most 1 item after validation, not 2.",
        ),
        (
            HEAD.replace("schema:", "objects:"),
            "6:1 has an unknown key 'objects'; known: apiVersion, authoritativeDefinitions, context, "
            "contractCreatedTs, customProperties, dataProduct, description, domain, id, kind, … (1 more in this file).",
        ),
        (
            HEAD.replace("schema:", "shcema:"),
            "6:1 has an unknown key 'shcema'; did you mean 'schema'? (1 more in this file).",
        ),
    ],
)
def test_a_fault_in_the_head_is_refused_with_its_place(contract: Written, head: str, message: str) -> None:
    assert said(contract, COLUMN, head=head) == message


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            "{name: a, logicalTyp: integer}",
            "9:19 has an unknown key 'schema.0.properties.0.logicalTyp'; did you mean 'logicalType'? "
            "(1 more in this file).",
        ),
        (
            "{name: a, logicalType: integer, logicalTypeOptions: {minimun: 3}}",
            "9:62 has an unknown key 'schema.0.properties.0.logicalTypeOptions.minimun'; did you mean 'minimum'?",
        ),
        (
            "{name: a, logicalType: string, enum: [{valeu: x}]}",
            "9:48 has an unknown key 'schema.0.properties.0.enum.0.valeu'; did you mean 'value'? "
            "(1 more in this file).",
        ),
        (
            "{name: a, logicalType: int}",
            "9:19 has an invalid 'schema.0.properties.0.logicalType': Input should be 'string', 'integer', 'number', "
            "'boolean', "
            "'date', 'timestamp' or 'time' (given: 'int'); did you mean 'integer'?",
        ),
        (
            "{name: a, logicalType: integer, required: 'yes'}",
            "9:41 has an invalid 'schema.0.properties.0.required': Input should be a valid boolean (given: 'yes').",
        ),
        (
            "{name: a, logicalType: integer, required: }",
            "9:41 has an invalid 'schema.0.properties.0.required': has no value; write one, or leave the key out "
            "(given: None).",
        ),
        (
            "{name: a, logicalType: integer, logicalTypeOptions: {minimum: }}",
            "9:62 has an invalid 'schema.0.properties.0.logicalTypeOptions.minimum': has no value; write one, or leave "
            "the key out "
            "(given: None).",
        ),
        (
            "{name: a, logicalType: string, classification: ~}",
            "9:40 has an invalid 'schema.0.properties.0.classification': has no value; write one, or leave the key out "
            "(given: None).",
        ),
        (
            "{name: a, logicalType: string, enum: []}",
            "9:40 has an invalid 'schema.0.properties.0.enum': List should have at least 1 item after validation, not "
            "0.",
        ),
        ("{logicalType: integer}", "9:9 lacks the key 'schema.0.properties.0.name'."),
        (
            "{name: '', logicalType: integer}",
            "9:10 has an invalid 'schema.0.properties.0.name': String should have at least 1 character (given: '').",
        ),
        (
            "{name: _dp_line, logicalType: integer}",
            "9:10 names column '_dp_line', but names starting with _dp_ belong to the platform.",
        ),
        (
            "{name: a, logicalType: integer, logicalTypeOptions: {minimum: '3'}}",
            "9:62 has an invalid 'schema.0.properties.0.logicalTypeOptions.minimum': Input should be a valid number "
            "(given: '3').",
        ),
        (
            "{name: a, logicalType: number, logicalTypeOptions: {maximum: .nan}}",
            "9:61 has an invalid 'schema.0.properties.0.logicalTypeOptions.maximum': Input should be a finite number "
            "(given: nan).",
        ),
        (
            "{name: a, logicalType: number, enum: [{value: .inf}]}",
            "9:48 has an invalid 'schema.0.properties.0.enum.0.value': Input should be a valid string (given: inf).",
        ),
        (
            "{name: a, logicalType: string, logicalTypeOptions: {minimum: 1}}",
            "9:61 sets 'minimum', which does not apply to a string.",
        ),
        (
            "{name: a, logicalType: integer, logicalTypeOptions: {pattern: x}}",
            "9:62 sets 'pattern', which does not apply to a integer.",
        ),
        (
            "{name: a, logicalType: date, logicalTypeOptions: {maxLength: 1}}",
            "9:59 sets 'maxLength', which does not apply to a date.",
        ),
        (
            "{name: a, logicalType: boolean, logicalTypeOptions: {maximum: 1}}",
            "9:62 sets 'maximum', which does not apply to a boolean.",
        ),
        ("{name: a, logicalType: integer, enum: [{value: x}]}", "9:49 has the enum value 'x', which is not a integer."),
        (
            "{name: a, logicalType: integer, enum: [{value: true}]}",
            "9:49 has the enum value True, which is not a integer.",
        ),
        (
            "{name: a, logicalType: integer, enum: [{value: 1}, {value: 1.5}]}",
            "9:61 has the enum value 1.5, which is not a integer.",
        ),
        ("{name: a, logicalType: string, enum: [{value: 1}]}", "9:48 has the enum value 1, which is not a string."),
        (
            "{name: a, logicalType: date, enum: [{value: '2024-01-01'}]}",
            "9:46 has the enum value '2024-01-01', which is not a date.",
        ),
        (
            "{name: a, logicalType: string, logicalTypeOptions: {pattern: '(x'}}",
            "9:61 is not a regular expression: missing ), unterminated subpattern at position 0.",
        ),
        (
            "{name: a, logicalType: integer, physicalType: varchar}",
            "9:41 has the physicalType 'varchar', which does not fit the logicalType integer. Use bigint or int or "
            "integer or smallint or tinyint.",
        ),
        (
            "{name: a, logicalType: string, physicalType: VARCHAR(9)}",
            "9:40 has the physicalType 'VARCHAR(9)', which does not fit the logicalType string. Use varchar or text.",
        ),
        (
            "{name: a, logicalType: integer, physicalType: 'decimal(9,0)'}",
            "9:41 has the physicalType 'decimal(9,0)', which does not fit the logicalType integer. Use bigint or int "
            "or integer or smallint or tinyint.",
        ),
        *(
            (
                f"{{name: a, logicalType: number, physicalType: '{decimal}'}}",
                f"9:40 has the physicalType '{decimal}', which does not fit the logicalType number. Use double or "
                "float or real or decimal(p,s) with s <= p <= 38.",
            )
            for decimal in ("decimal", "decimal(39,2)", "decimal(2,3)", "decimal(0,0)", "decimal(p,s)", "bigint")
        ),
        (
            "{name: a, logicalType: string, relationships: [{to: b}]}",
            "9:56 refers to 'b', which does not have the form table.column.",
        ),
        (
            "{name: abc, logicalType: string, relationships: [{to: orders.acb}]}",
            "9:58 refers to orders.acb, but table orders has no such column; did you mean 'abc'?",
        ),
        (
            "{name: a, logicalType: string, relationships: [{to: Shop.b.c}]}",
            "9:56 refers to 'Shop.b.c', which does not have the form table.column.",
        ),
        (
            "{name: a, logicalType: string, relationships: [{type: foreignKy, to: b.c}]}",
            "9:57 has an invalid 'schema.0.properties.0.relationships.0.type': Input should be 'foreignKey' (given: "
            "'foreignKy').",
        ),
        (
            "{name: a, logicalType: integer, logicalTypeOptions: {minimum: 2, maximum: 1}}",
            "9:74 sets maximum 1 and minimum 2, which no value satisfies.",
        ),
        (
            "{name: a, logicalType: number, logicalTypeOptions: {minimum: 2, exclusiveMaximum: 2}}",
            "9:73 sets exclusiveMaximum 2 and minimum 2, which no value satisfies.",
        ),
        (
            "{name: a, logicalType: string, logicalTypeOptions: {minLength: 3, maxLength: 2}}",
            "9:75 sets maxLength 2 and minLength 3, which no value satisfies.",
        ),
        (
            "{name: a, logicalType: number, logicalTypeOptions: {maximum: 123456789012345678.01}}",
            "9:61 is too large to be exact as a floating-point number.",
        ),
        (
            "{name: a, logicalType: number, physicalType: float, enum: [{value: 0.1}]}",
            "9:61 lists values of a float, which cannot be compared exactly.",
        ),
    ],
)
def test_a_fault_in_a_column_is_refused_with_its_place(contract: Written, column: str, message: str) -> None:
    assert said(contract, column) == message


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{name: r, engine: duckdb, implementation: 1 = 1}", "11:9 rule 'r' names no column of orders; known: amount."),
        (
            "{name: r, engine: duckdb, implementation: ammount > 0}",
            "11:9 rule 'r' names no column of orders; did you mean 'amount'?",
        ),
        (
            "{name: r, engine: duckdb}",
            "11:9 lacks implementation. Write it as name: …, engine: duckdb, "
            'implementation: "<boolean SQL expression over one row>".',
        ),
        (
            "{engine: duckdb, implementation: amount > 0}",
            "11:9 lacks name. Write it as name: …, engine: duckdb, "
            'implementation: "<boolean SQL expression over one row>".',
        ),
        (
            "{name: r, engine: soda, implementation: amount > 0}",
            "11:19 has an invalid 'schema.0.quality.0.engine': Input should be 'duckdb' or 'pandera' (given: 'soda').",
        ),
        (
            "{name: r, engine: duckdb, implementation: amount > 0, severity: info}",
            "11:63 has an invalid 'schema.0.quality.0.severity': Input should be 'error' or 'warning' (given: 'info').",
        ),
        (
            "{name: r, engine: duckdb, implemntation: amount > 0}",
            "11:35 has an unknown key 'schema.0.quality.0.implemntation'; did you mean 'implementation'?",
        ),
        (
            "{type: text, name: r, engine: duckdb, implementation: amount > 0}",
            "11:31 sets 'engine', which does not apply to rules of type text.",
        ),
        (
            "{name: 'amount:type', engine: duckdb, implementation: amount > 0}",
            "11:9 repeats the rule name 'amount:type'.",
        ),
        (
            "{name: primary_key, engine: duckdb, implementation: amount > 0}",
            "11:9 repeats the rule name 'primary_key'.",
        ),
    ],
)
def test_a_fault_in_a_rule_is_refused_with_its_place(contract: Written, rule: str, message: str) -> None:
    assert said(contract, "{name: amount, logicalType: number, primaryKey: true}", quality=(rule,)) == message


def test_two_rules_of_one_name_are_refused(contract: Written) -> None:
    rule = "{name: positive, engine: duckdb, implementation: a > 0}"
    assert said(contract, COLUMN, quality=(rule, rule)) == "12:9 repeats the rule name 'positive'."


@pytest.mark.parametrize("second", ["a", "A"])
def test_a_column_that_is_named_twice_is_refused_as_sql_sees_names(contract: Written, second: str) -> None:
    assert said(contract, COLUMN, f"{{name: {second}, logicalType: string}}") == (
        f"10:10 repeats column {second!r}, first named at orders.odcs.yaml:9:10."
    )


def test_a_contract_without_columns_is_refused(contract: Written) -> None:
    assert said(contract, head=HEAD.replace("    properties:\n", "    properties: []\n")) == (
        "8:5 has an invalid 'schema.0.properties': List should have at least 1 item after validation, not 0."
    )


def test_a_file_that_is_no_yaml_has_its_own_code(tmp_path: Path) -> None:
    (tmp_path / "a.odcs.yaml").write_text("id: [\n")
    with pytest.raises(UsedWrongly, match=r"^DP-Y004 a\.odcs\.yaml:2:1 is not valid YAML"):
        load_contract(tmp_path / "a.odcs.yaml")
    with pytest.raises(UsedWrongly, match=r"^DP-Y001 b\.odcs\.yaml cannot be read: No such file"):
        load_contract(tmp_path / "b.odcs.yaml")


@pytest.mark.parametrize(
    ("expression", "used"),
    [
        ("a > 0", ("a",)),
        ("A > b", ("a", "b")),
        ('"Unit price" > 0', ("Unit price",)),
        ("b = 'it is a' and ab > 0", ("a", "b")),
        ("b > 0 -- and a comment", ("a", "b")),
    ],
)
def test_a_rule_knows_the_columns_it_uses_or_may_use(contract: Written, expression: str, used: tuple[str, ...]) -> None:
    columns = [
        "{name: a, logicalType: integer}",
        "{name: b, logicalType: string}",
        "{name: Unit price, logicalType: number}",
    ]
    quoted = expression.replace("'", "''")
    found = contract(*columns, quality=[f"{{name: r, engine: duckdb, implementation: '{quoted}'}}"])
    assert found.rules[-1].columns == used


BASE = (
    "{name: a, logicalType: integer, logicalTypeOptions: {minimum: 1}}",
    "{name: b, logicalType: string, enum: [{value: x}, {value: y}]}",
)
RULE = "{name: r, engine: duckdb, implementation: a > 1}"


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ((BASE[0].replace("name: a", "name: c"), BASE[1]), RULE.replace("a > 1", "c > 1")),
        ((BASE[0].replace("integer", "number"), BASE[1]), RULE),
        ((BASE[0].replace("integer,", "integer, physicalType: int,"), BASE[1]), RULE),
        ((BASE[0].replace("integer,", "integer, required: true,"), BASE[1]), RULE),
        ((BASE[0].replace("integer,", "integer, unique: true,"), BASE[1]), RULE),
        ((BASE[0].replace("integer,", "integer, primaryKey: true,"), BASE[1]), RULE),
        ((BASE[0].replace("minimum: 1", "minimum: 2"), BASE[1]), RULE),
        ((BASE[0].replace("minimum: 1", "maximum: 1"), BASE[1]), RULE),
        ((BASE[0].replace("minimum: 1", "exclusiveMinimum: 1"), BASE[1]), RULE),
        ((BASE[0].replace("minimum: 1", "minimum: 1, maximum: 9"), BASE[1]), RULE),
        ((BASE[0].replace(", logicalTypeOptions: {minimum: 1}", ""), BASE[1]), RULE),
        ((BASE[0], BASE[1].replace("value: y", "value: z")), RULE),
        ((BASE[0], BASE[1].replace("[{value: x}, {value: y}]", "[{value: y}, {value: x}]")), RULE),
        ((BASE[0], BASE[1].replace("enum:", "logicalTypeOptions: {pattern: x}, enum:")), RULE),
        ((BASE[0], BASE[1].replace("enum:", "logicalTypeOptions: {maxLength: 3}, enum:")), RULE),
        ((BASE[0], BASE[1].replace("enum:", "relationships: [{to: t.b}], enum:")), RULE),
        ((BASE[0], BASE[1].replace("enum:", "customProperties: [{property: knownAt, value: now}], enum:")), RULE),
        ((BASE[1], BASE[0]), RULE),
        (BASE[:1], RULE),
        (BASE, RULE.replace("a > 1", "a > 2")),
        (BASE, RULE.replace("name: r", "name: s")),
        (BASE, RULE.replace("{name", "{severity: warning, name")),
    ],
)
def test_the_digest_changes_with_everything_that_is_enforced(
    contract: Written, columns: tuple[str, ...], rule: str
) -> None:
    assert contract(*columns, quality=[rule]).digest != contract(*BASE, quality=[RULE]).digest


def test_the_digest_changes_with_the_limits_of_what_is_measured(contract: Written) -> None:
    rule = "{type: library, metric: rowCount, mustBeGreaterThan: 1}"
    others = [
        rule.replace("1}", "2}"),
        rule.replace("Greater", "Less"),
        rule.replace("GreaterThan: 1", "Between: [1, 9]"),
    ]
    digests = {contract(*BASE, quality=[text]).digest for text in (rule, *others)}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("columns", "rule", "head"),
    [
        ((BASE[0].replace("integer,", "integer, description: Words., businessName: A,"), BASE[1]), RULE, HEAD),
        ((BASE[0].replace("integer,", "integer, examples: [1], tags: [x],"), BASE[1]), RULE, HEAD),
        ((BASE[0].replace("integer,", "integer, physicalType: BIGINT,"), BASE[1]), RULE, HEAD),
        ((BASE[0], BASE[1].replace("value: x", "value: x, description: Words.")), RULE, HEAD),
        (BASE, RULE.replace("{name", "{description: Words., businessImpact: Much, name"), HEAD),
        (BASE, RULE, HEAD.replace("1.2.3", "1.2.4")),
        (BASE, RULE, HEAD.replace("id: orders", "id: other\nstatus: draft\ndescription: {purpose: Words.}")),
        (BASE, RULE, HEAD.replace("{name: sales}", "{name: marketing}")),
        (BASE, RULE, HEAD.replace("id: orders", "id: orders\ntags: [core]")),
        (BASE, RULE, "# a comment\n" + HEAD),
    ],
)
def test_the_digest_does_not_change_with_prose(
    contract: Written, columns: tuple[str, ...], rule: str, head: str
) -> None:
    assert contract(*columns, quality=[rule], head=head).digest == contract(*BASE, quality=[RULE]).digest


def test_every_key_of_the_standard_is_known_and_no_other() -> None:
    """Our records against those of the standard's own library; ours say more only where the standard leaves it open."""
    from open_data_contract_standard import model as standard

    from dataops_platform.contracts import document as ours

    pairs = {
        ours.Document: standard.OpenDataContractStandard,
        ours.SchemaObject: standard.SchemaObject,
        ours.Property: standard.SchemaProperty,
        ours.Quality: standard.DataQuality,
        ours.Relationship: standard.Relationship,
        ours.EnumValue: standard.EnumValue,
        ours.CustomProperty: standard.CustomProperty,
        ours.Team: standard.Team,
        ours.TeamMember: standard.TeamMember,
        ours.Role: standard.Role,
        ours.Sla: standard.ServiceLevelAgreementProperty,
        ours.Description: standard.Description,
    }
    for mine, theirs in pairs.items():
        keys = {field.alias or name for name, field in mine.model_fields.items()}
        known = {field.alias or name for name, field in theirs.model_fields.items()}
        assert keys == known, mine.__name__
