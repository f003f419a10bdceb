"""Whose a row is: an erasure takes all that is the customer's, and nothing of what is somebody else's."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from publishing.companies import keep
from warehouse.erasing.memory import remembered
from warehouse.erasing.texts import patterns_of_names, redacted, redacted_sql
from warehouse.erasing.torn_lines import lines_of_erased
from warehouse.errors import WarehouseError
from warehouse.landing import zone
from warehouse.landing.mapping import load_mapping
from warehouse.landing.report import Options
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import publish_version
from warehouse.runs.erasing import erase_customer
from warehouse.runs.landing import land
from warehouse.runs.seeds import write_seeds

HEADERS = {
    "accounts": "account_id,account_name,email",
    "contacts": "contact_id,account_id,full_name,email,role",
    "deals": "deal_id,account_id,stage,deal_name,created_at",
    "leads": "lead_id,created_at,converted_account_id,converted_deal_id",
    "orders": "order_id,account_id,ordered_at,amount,refund_of_order_id",
    "activities": "activity_id,account_id,activity_type,occurred_at,contact_id",
    "subscription_periods": "subscription_id,account_id,started_at,mrr,plan",
    "survey_responses": "response_id,account_id,survey,score,comment,responded_at,respondent_id",
    "survey_invitations": "invitation_id,survey_id,respondent_id,account_id,sent_at",
}
Land = Callable[..., None]


@pytest.fixture
def paths(tmp_path: Path) -> WarehousePaths:
    return WarehousePaths(tmp_path / "warehouse")


@pytest.fixture
def deliver(paths: WarehousePaths, tmp_path: Path) -> Land:
    """Return what lands one delivery: the lines by entity."""
    count = 0

    def deliver(**lines: list[str]) -> None:
        nonlocal count
        count += 1
        folder = tmp_path / f"delivery_{count}"
        folder.mkdir()
        for entity, of_entity in lines.items():
            (folder / f"{entity}.csv").write_text("\n".join([HEADERS[entity], *of_entity]) + "\n", "utf-8")
        assert not land(paths, [folder], Options(), lambda _: lambda __: None).has_rejected

    return deliver


def rows(paths: WarehousePaths, entity: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted((paths.landing / entity).glob("*.parquet")):
        found += pq.read_table(path, partitioning=None).to_pylist()
    return found


def column(paths: WarehousePaths, entity: str, name: str) -> list[Any]:
    return [row[name] for row in rows(paths, entity)]


def published(paths: WarehousePaths, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(paths.published_file), read_only=True) as connection:
        return connection.execute(query).fetchall()


# ---------------------------------------------------------------- what is somebody else's


def test_words_of_others_that_hold_a_name_or_a_cell_of_the_customer_stay(paths: WarehousePaths, deliver: Land) -> None:
    comment = "your marketing is not noisy, a good value"
    lines = ["O2,A2,2025-01-02,10,good value market", "O3,A3,2025-01-02,10,no market"]
    deliver(
        accounts=["A1,Mark,no", "A2,Other,none", "A3,Third,n/a"],
        deals=["D2,A2,Intro/none yet,Good no market,2025-01-01"],
        survey_responses=["1,A1,nps,9,good,2025-01-01,no", f'2,A2,nps,9,"{comment}",2025-01-01,P2'],
        orders=["O1,A1,2025-01-02,10,", "O9,A2,2025-01-02,10,", *(f"{line},torn" for line in lines)],
    )
    erase_customer(paths, "A1")
    assert column(paths, "survey_responses", "comment") == [comment]
    assert [(row["stage"], row["deal_name"]) for row in rows(paths, "deals")] == [("Intro/none yet", "Good no market")]
    assert column(paths, zone.QUARANTINE, "raw_line") == [f"{line},torn" for line in lines]
    deliver(orders=[f"{line},torn again" for line in lines])
    assert len(rows(paths, zone.QUARANTINE)) == 4


def test_structured_columns_of_others_are_never_changed(paths: WarehousePaths, deliver: Land) -> None:
    deliver(
        accounts=["A1,Enterprise,", "A2,Other,"],
        contacts=["C1,A1,Mark Twain,,buyer", "C2,A2,Mark Twain Junior,,right hand of mark twain"],
        deals=["D2,A2,enterprise,Bigger than ENTERPRISE,2025-01-01"],
        subscription_periods=["S2,A2,2025-01-01,10,Enterprise"],
    )
    erase_customer(paths, "A1")
    assert [(row["stage"], row["deal_name"]) for row in rows(paths, "deals")] == [
        ("enterprise", "Bigger than (erased)")
    ]
    assert column(paths, "subscription_periods", "plan") == ["Enterprise"]
    assert [(row["full_name"], row["role"]) for row in rows(paths, "contacts")] == [
        ("Mark Twain Junior", "right hand of (erased)")
    ]


def test_ids_of_other_kinds_are_no_words_of_the_lines_of_others(paths: WarehousePaths, deliver: Land) -> None:
    theirs = "501,99,2025-01-02,1,torn,here"
    deliver(
        accounts=["12,,", "99,,"],
        deals=["4,12,demo,,2025-01-01"],
        orders=["1,12,2025-01-01,10,", "12,99,x,10,", "7,12,2025-01-01,5,torn,here", theirs, "1,,2025-01-02,7,torn,x"],
    )
    more = [
        "create table made.marts.quarantined_rows as select 'other' as load_id, 'f' as file, 1::bigint as "
        "record_number,"
        " entity, key_value from (values ('orders', '12'), ('accounts', '12'), ('orders', '1'), ('deals', '1'),"
        " ('email_preferences', '12|4|opt_out|2025'), ('email_preferences', '99|12|opt_out|2025'),"
        " ('deal_stage_history', '4|12|2025'), ('deal_stage_history', '12|4|2025')) as made_of(entity, key_value)"
    ]
    publish_version(paths, keep(paths, "run", more=more))
    erase_customer(paths, "12")
    assert column(paths, "orders", "order_id") == ["12"]
    # The second line is of an order that is the customer's.
    assert column(paths, zone.QUARANTINE, "raw_line") == [theirs]
    assert published(paths, "select entity, key_value from marts.quarantined_rows") == [
        ("orders", "12"), ("accounts", "(erased)"), ("orders", "(erased)"), ("deals", "1"),
        ("email_preferences", "(erased)"), ("email_preferences", "99|12|opt_out|2025"),
        ("deal_stage_history", "(erased)"), ("deal_stage_history", "12|4|2025"),
    ]  # fmt: skip
    deliver(orders=[theirs, "502,99,2025-01-02,4,torn,here", "1,99,2025-01-02,4,torn,here"])
    assert column(paths, zone.QUARANTINE, "raw_line") == [theirs, theirs, "502,99,2025-01-02,4,torn,here"]


def test_a_mention_empties_the_cell_of_a_row_that_has_an_account(paths: WarehousePaths, deliver: Land) -> None:
    deliver(
        accounts=["A1,,me@house.example", "A2,,"],
        deals=["D1,A1,demo,,2025-01-01"],
        orders=["O1,A1,2025-01-01,10,", "O2,A2,2025-01-02,-10,O1"],
        leads=["L1,2025-01-01,,D1", "L2,2025-01-01,A2,D1"],
        survey_invitations=["I1,nps,me@house.example,,2025-01-01", "I2,nps,me@house.example,A2,2025-01-01"],
    )
    erase_customer(paths, "A1")
    assert [(row["order_id"], row["refund_of_order_id"]) for row in rows(paths, "orders")] == [("O2", None)]
    assert [(row["lead_id"], row["converted_deal_id"]) for row in rows(paths, "leads")] == [("L2", None)]
    # A cell that must be filled says what became of it.
    assert [(row["invitation_id"], row["respondent_id"]) for row in rows(paths, "survey_invitations")] == [
        ("I2", "(erased)")
    ]


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        (
            "Mark",
            "Mark, mark's marketing: MARK_UP Mark Mark",
            "(erased), (erased)'s marketing: MARK_UP (erased) (erased)",
        ),
        ("Łódź", "łódź! Łódźka", "(erased)! Łódźka"),
        ("נועה לוי", "אמרה נועה לוי. לנועה לוית", "אמרה (erased). לנועה לוית"),
        ("شركة النور", "مع شركة النور، شركة النورس", "مع (erased)، شركة النورس"),
        # No blanks between the words: a name is found wherever it stands.
        ("北京科技公司", "我们喜欢北京科技公司的服务", "我们喜欢(erased)的服务"),
        ("Acme", "我喜欢Acme公司 Acmeology", "我喜欢(erased)公司 Acmeology"),
        ("บริษัทดี", "ขอบคุณบริษัทดีมาก", "ขอบคุณ(erased)มาก"),
        ("李小龙", "李小龙很好", "李小龙很好"),
        ("Ev", "Ev said", "Ev said"),
    ],
)
def test_names_are_whole_words_in_every_script(name: str, text: str, left: str) -> None:
    found = redacted(pa.chunked_array([[text]]), patterns_of_names([name]))
    assert (text if found is None else found.to_pylist()[0]) == left
    with duckdb.connect() as connection:
        query = f"select {redacted_sql('written', patterns_of_names([name]))} from (select ? as written)"
        assert connection.execute(query, [text]).fetchall() == [(left,)]


# ---------------------------------------------------------------- what is the customer's


def test_a_key_that_moved_to_the_customer_does_not_come_back_under_the_one_before(
    paths: WarehousePaths, deliver: Land
) -> None:
    def moved(to: str) -> dict[str, list[str]]:
        return {
            "contacts": [f"K1,{to},Dana Barak,dana@mail.example,"],
            "deals": [f"D1,{to},demo,,2025-01-01"],
            "activities": [f"V1,{to},call,2025-01-01,K1"],
            "subscription_periods": [f"S1,{to},2025-01-01,10,", "S1,OLD,2024-01-01,10,"],
            "survey_responses": [f"R1,{to},nps,9,mine,2025-01-01,P1", "R2,,nps,9,mine,2025-01-01,P1"],
        }

    deliver(accounts=["OLD,,", "NEW,,"], **moved("OLD"))
    deliver(**moved("NEW"))
    erase_customer(paths, "NEW")
    for _ in range(2):
        left = {entity: rows(paths, entity) for entity in moved("")}
        assert {entity for entity, found in left.items() if found} == {"subscription_periods"}
        assert {row["started_at"] for row in left["subscription_periods"]} == {"2024-01-01"}
        # The older delivery again, as a file that was corrected.
        deliver(accounts=["OLD,again,"], **moved("OLD"))


def test_a_key_that_moved_to_somebody_else_stays_theirs(paths: WarehousePaths, deliver: Land) -> None:
    deliver(contacts=["K1,OLD,Dana Barak,,"], survey_responses=["R1,OLD,nps,9,first,2025-01-01,P1"])
    deliver(
        contacts=["K1,NEW,Dana Barak,,"],
        survey_responses=["R1,NEW,nps,9,second by Dana Barak,2025-01-01,P1", "R2,,nps,9,whose,2025-01-01,P1"],
    )
    comments = (
        "create table made.marts.survey_comments as select 'R1' as response_id, 'NEW' as account_id, 'x' as comment"
    )
    publish_version(paths, keep(paths, "run", more=[comments]))
    erase_customer(paths, "OLD")
    deliver(contacts=["K1,NEW,Dana Barak,,again"])
    assert column(paths, "contacts", "account_id") == ["NEW", "NEW"]
    assert column(paths, "survey_responses", "comment") == ["second by Dana Barak", "whose"]
    assert published(paths, "select response_id from marts.survey_comments") == [("R1",)]


@pytest.mark.parametrize(
    "cell", ["noa@levi.example", "Noa Levi <noa@levi.example>", "other@x.example; noa@levi.example"]
)
def test_every_address_of_a_cell_is_the_customers(cell: str, paths: WarehousePaths, deliver: Land) -> None:
    deliver(
        accounts=["A1,,", "A2,,"],
        contacts=[f'C1,A1,,"{cell}",'],
        survey_responses=[
            "1,,nps,9,mine,2025-01-01,noa@levi.example",
            '2,,nps,9,mine too,2025-01-01,"Noa L. <noa@levi.example>"',
            "3,A2,nps,9,ask noa@levi.example about it,2025-01-01,P3",
            "4,,nps,9,mine,2025-01-01,noa@levi.example,torn",
            '5,A2,nps,9,"ask noa@levi.example, please",2025-01-01,P3,torn',
        ],
    )
    lines = [line for line in column(paths, zone.QUARANTINE, "raw_line") if line.startswith("4")]
    erase_customer(paths, "A1")
    assert column(paths, "survey_responses", "comment") == ["ask (erased) about it"]
    assert column(paths, zone.QUARANTINE, "raw_line") == ['5,A2,nps,9,"ask (erased), please",2025-01-01,P3,torn']
    deliver(survey_responses=["6,,nps,9,mine,2025-01-01,Noa <noa@levi.example>", "7,A2,nps,9,yes,2025-01-01,P3"])
    assert column(paths, "survey_responses", "response_id") == ["3", "7"]
    contains = remembered(paths)
    assert contains is not None
    torn = pa.Table.from_pylist([{"entity": "survey_responses", "raw_line": lines[0]}], zone.QUARANTINE_SCHEMA)
    assert lines_of_erased(torn, contains) == [True]


@pytest.mark.parametrize(
    ("account", "cell"),
    [
        ("A1", "A1"),
        ("Miller, John", '"Miller, John"'),
        ('Jo "Jack" Doe', '"Jo ""Jack"" Doe"'),
        ('Doe; "Jack, Jr"', '"Doe; ""Jack, Jr"""'),
    ],
)
def test_a_customer_of_torn_lines_only_is_known(account: str, cell: str, paths: WarehousePaths, deliver: Land) -> None:
    torn = [f"O1,{cell},2025-01-01,1,,torn", f'O2,{cell},2025-01-01,"1 ""x""",,torn']
    deliver(orders=["O9,A9,2025-01-01,1,", "O8,A8,2025-01-01,1,,torn", *torn])
    erase_customer(paths, account)
    assert column(paths, zone.QUARANTINE, "raw_line") == ["O8,A8,2025-01-01,1,,torn"]
    deliver(orders=[*torn, "O7,A7,2025-01-01,1,"])
    assert column(paths, zone.QUARANTINE, "raw_line") == ["O8,A8,2025-01-01,1,,torn"]


def test_a_quoted_account_of_json_is_found(paths: WarehousePaths) -> None:
    from warehouse.erasing.memory import remember

    remember(paths, {"account": ['Jo "Jack", Doe']})
    contains = remembered(paths)
    assert contains is not None
    line = '{"order_id": 2, "account_id": "Jo \\"Jack\\", Doe", "amount":'
    torn = pa.Table.from_pylist([{"entity": "orders", "raw_line": line}], zone.QUARANTINE_SCHEMA)
    assert lines_of_erased(torn, contains) == [True]


def test_a_customer_who_was_deleted_at_the_source_is_known(paths: WarehousePaths, tmp_path: Path) -> None:
    mapping = tmp_path / "shop.yml"
    entity = "{entity: accounts, columns: {account_id: Id}, deleted: {Gone: yes}}"
    mapping.write_text(f"source: shop\nfiles:\n  - name: accounts*\n    entities: [{entity}]\n")
    (tmp_path / "accounts.csv").write_text("Id,Gone\nA2,\nA1,yes\n")
    options = Options(mapping=load_mapping(str(mapping)))
    land(paths, [tmp_path / "accounts.csv"], options, lambda _: lambda __: None)
    erase_customer(paths, "A1")
    assert rows(paths, zone.DELETIONS) == []
    with pytest.raises(WarehouseError, match="no such account"):
        erase_customer(paths, "A3")


def test_seeds_stay_without_the_erased(paths: WarehousePaths, deliver: Land, tmp_path: Path) -> None:
    deliver(accounts=["A1,,", "A2,,"])
    erase_customer(paths, "A1")
    exports, seeds = tmp_path / "exports", tmp_path / "seeds"
    exports.mkdir()
    (exports / "accounts.csv").write_text(f"{HEADERS['accounts']}\nA1,,\nA2,,\n")
    report = write_seeds(paths.root, [exports], Options(), seeds, False, lambda _: lambda __: None)
    assert [result.rows_landed for result in report.files] == [1]
    assert (seeds / "raw_accounts.csv").read_text().splitlines()[1].startswith("A2,")
    assert len((seeds / "raw_accounts.csv").read_text().splitlines()) == 2
