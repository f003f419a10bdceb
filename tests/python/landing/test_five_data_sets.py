"""The five data sets land whole, with the counts that their folder promises."""

from landing.conftest import Warehouse, shared

GROUPS = ", ".join(f"count(*) filter (score::int between {low} and {high})" for low, high in ((9, 10), (7, 8), (0, 6)))


def test_cdnow_master_keeps_every_line(warehouse: Warehouse) -> None:
    report = warehouse.land(shared("data") / "cdnow" / "CDNOW_master.txt", source="cdnow")
    assert [(result.rows_in, result.rows_landed, result.rows_quarantined) for result in report.files] == [
        (69_659, 69_659, 0)
    ]
    counts = warehouse.rows("orders", "count(*), count(distinct order_id), count(distinct account_id)", "1")
    assert counts == [(69_659, 69_659, 23_570)]
    assert warehouse.rows("orders", "min(ordered_at), max(ordered_at), max(line_number)", "1") == [
        ("1997-01-01", "1998-06-30", 69_660)
    ]
    doubled = "count(*) - count(distinct (account_id, ordered_at, quantity, amount))"
    assert warehouse.rows("orders", doubled, "1") == [(255,)]


def test_cdnow_sample_has_no_header(warehouse: Warehouse) -> None:
    report = warehouse.land(shared("data") / "cdnow" / "CDNOW_sample.txt", source="cdnow_sample")
    assert report.files[0].rows_landed == 6_919
    assert warehouse.rows("orders", "count(distinct account_id), min(line_number)", "1") == [(2_357, 1)]


def test_mrr_playbook(warehouse: Warehouse) -> None:
    warehouse.land(shared("data") / "mrr_playbook", source="mrr_playbook")
    columns = "count(*), count(distinct account_id), count(mrr), count(started_at), count(ended_at)"
    assert warehouse.rows("subscription_periods", columns, "1") == [(121, 55, 121, 121, 121)]


def test_maven_crm_with_its_value_maps(warehouse: Warehouse) -> None:
    report = warehouse.land(shared("data") / "maven_crm", source="maven_crm")
    assert {result.entity: result.rows_landed for result in report.files} == {
        "accounts": 85, "deals": 8_800, "deal_stages": 4, "products": 7, "sales_reps": 35,
    }  # fmt: skip
    by_stage = warehouse.rows("deals", "distinct stage, count(*) over (partition by stage)", "1")
    assert by_stage == [("Engaging", 1_589), ("Lost", 2_473), ("Prospecting", 500), ("Won", 4_238)]
    products = {row[0] for row in warehouse.rows("products", "product_id")}
    assert {row[0] for row in warehouse.rows("deals", "distinct product_id", "1")} <= products
    text = {cell for row in warehouse.rows("accounts", "industry, country") for cell in row}
    assert {"technology", "Philippines"} <= text
    assert not {"technolgy", "Philipines"} & text
    assert warehouse.rows("deal_stages", "stage, stage_order, is_won, is_lost", "stage_order") == [
        ("Prospecting", "1", "false", "false"),
        ("Engaging", "2", "false", "false"),
        ("Won", "3", "true", "false"),
        ("Lost", "4", "false", "true"),
    ]


def test_carpentries_scores_and_years(warehouse: Warehouse) -> None:
    report = warehouse.land(shared("data") / "carpentries", source="carpentries")
    assert report.files[0].rows_landed == 967
    counts = f"{GROUPS}, count(*) filter (score is null)"
    assert warehouse.rows("survey_responses", counts, "1") == [(501, 317, 71, 78)]
    assert warehouse.rows("survey_responses", "min(responded_at::timestamp) >= '2016-01-01'", "1") == [(True,)]
    assert warehouse.rows("surveys", "survey_id, survey_type, scale_min, scale_max") == [("nps", "nps", "0", "10")]


def test_cncf_with_two_header_rows_and_a_mark(warehouse: Warehouse) -> None:
    report = warehouse.land(shared("data") / "cncf", source="cncf")
    assert (report.files[0].rows_in, report.files[0].rows_landed) == (97, 97)
    counts = f"{GROUPS}, min(line_number)"
    assert warehouse.rows("survey_responses", counts, "1") == [(64, 23, 10, 3)]
    assert warehouse.rows("survey_responses", "count(distinct response_id), count(respondent_id)", "1") == [(97, 0)]


def test_connector_tables(warehouse: Warehouse) -> None:
    hubspot = warehouse.land(shared("data") / "fivetran_hubspot", source="hubspot_connector")
    salesforce = warehouse.land(shared("data") / "fivetran_salesforce", source="salesforce_connector")
    assert not hubspot.has_rejected
    assert not salesforce.has_rejected
    landed = {result.entity: result.rows_landed for result in hubspot.files}
    assert landed == {
        "accounts": 24, "contacts": 22, "deals": 44, "deal_stages": 69, "deal_stage_history": 14,
        "sales_reps": 100, "support_tickets": 25,
    }  # fmt: skip
    # The outcome stages: won, and closed without being won.
    outcomes = warehouse.rows("deal_stages", "is_won, is_lost, count(*) over (partition by is_won, is_lost)", "1")
    assert {row[:2] for row in outcomes} <= {("TRUE", "false"), ("FALSE", "TRUE"), ("FALSE", "FALSE")}
    assert warehouse.rows("support_tickets", "count(account_id)", "1") >= [(0,)]
    assert {result.entity: result.rows_landed for result in salesforce.files}["deal_stage_history"] == 10
