"""No address is ever written or shown; equal addresses stay equal."""

import re
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from landing.conftest import Warehouse
from warehouse.errors import WarehouseError
from warehouse.landing.personal_data import Tokens, token_key

Write = Callable[..., Path]
ADDRESSES = [
    "jane.doe@private.example", "JANE.DOE@Private.Example", "jane.doe＠private.example", "jane@localhost",
    "jane.doe%40private.example", '"jane doe"@private.example', "jane+tag@sub.private.example",
    r"jane.doe\u0040private.example", "jane.doe&#64;private.example",
    "jane@[10.0.0.1]", "ジェーン@例え.テスト", "jane.doe @ private.example", "o'jane@private.example",
    "jane.doe@ private.example", "jane.doe @private.example", "jane.doe@\u200bprivate.example",
    "jane.doe@pri\u00advate.example", "jane.doe\u202e@\u202dprivate.example", r"jane.doe\@private.example",
    "jane.doe&#x40;private.example", "jane.doe&#X0040;private.example", "jane.doe&commat;private.example",
    "jane.doe@_private.example", "jane.doe=40private.example", r"jane@\xfcprivate.example", r"jane@pri\x00vate.example",
    r"m\xfcjane@private.example", "SRS0=ab=cd=private.example=jane@other.example",
    "jane%40private.example@relay.example",
    "j" * 5000 + "jane@private.example", "'jane'@private.example",
]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_addresses_become_tokens_anywhere_in_a_text(address: str) -> None:
    text = Tokens(b"k" * 32).text(f"see {address}, please")
    assert "jane" not in text.casefold()
    assert "o'" not in text
    assert "email:" in text
    assert "private.example" not in text.casefold()


def test_equal_addresses_have_one_token_and_the_key_matters() -> None:
    one, other = Tokens(b"k" * 32), Tokens(b"x" * 32)
    same = {one.text(address) for address in ADDRESSES[:3]}
    assert len(same) == 1
    assert other.text(ADDRESSES[0]) not in same
    assert one.text("no address @ all, 5 @ 3") == "no address @ all, 5 @ 3"


def test_however_an_address_is_written_its_token_is_that_of_the_plain_one() -> None:
    tokens = Tokens(b"k" * 32)
    plain = tokens.text("jane.doe@private.example")
    assert plain == "email:61fede30a2bf4201cfb936c3"
    # A quoted name and one behind an underscore are other addresses.
    written = [each for each in ADDRESSES if re.sub(r"\W", "", each).casefold().startswith("janedoe")]
    written = [each for each in written if not re.search('["_]', each)]
    assert len(written) > 15
    assert {each: tokens.text(each) for each in written} == dict.fromkeys(written, plain)
    # What stands beside an address stays.
    assert tokens.text("email=jane.doe@private.example&x='jane.doe@private.example',") == f"email={plain}&x='{plain}',"


@pytest.mark.parametrize(
    "text",
    [
        "3 @ 5 EUR", "@handle", "thanks @handle", "price @ 10.50", "5@ 3.50 each", "meet @ noon", "width=400px",
        "x=40.50",        "n=40 of 60", "&#39;quoted&#39;", "C:\\x40", "100%", "a @ b",
    ],
)  # fmt: skip
def test_ordinary_text_is_no_address(text: str) -> None:
    assert Tokens(b"k" * 32).text(text) == text


@pytest.mark.parametrize("word", ["ab.", r"a\xfc%", "a@b", "'a", "a ", "SRS0=", "%4", "b\\", '"a', "a\u200b", "a@b. "])
def test_no_text_takes_long(word: str) -> None:
    begun = time.process_time()
    Tokens(b"k" * 32).text(word * 30_000 + " @ " + "b." * 30_000 + "1")
    assert time.process_time() - begun < 2


def test_the_canary_is_in_no_byte_of_the_warehouse(warehouse: Warehouse, write: Write) -> None:
    canary = "canary.bird@private.example"
    accounts = write(
        "accounts.csv",
        f"account_id,email,account_name\nA1,{canary},x\n{canary},Canary.Bird@PRIVATE.example,a {canary} b\n",
    )
    torn = write(
        "survey_responses.csv",
        "response_id,survey,responded_at,comment\n"
        f'R1,nps,2024-01-01,"write to {canary}\nor not"\n'
        f"R2,nps,{canary}\n"
        f"{canary},nps,2024-01-01,a,b\n"
        f'R4,nps,2024-01-01,"torn "{canary}" quote"\n'
        f"R5,nps,2024-01-01,nul \0 {canary}\n",
    )
    headless = write("orders.csv", f"{canary},A1,2024-01-01,5\n")
    bad_header = write("deals.csv", f"deal_id,stage,{canary}\nD1,Won,x\n")
    lines = write("contacts.jsonl", f'{{"contact_id": "1", "account_id": "A1", "email": "{canary}"}}\n{{"x" {canary}\n')
    utf16 = write("leads.csv", f"lead_id,created_at,source\nL1,2024-01-01,{canary}\n".encode("utf-16"))
    report = warehouse.land(accounts, torn, headless, bad_header, lines, utf16)
    assert [result.verdict for result in report.files].count("accepted") == 5
    shown = report.as_json()
    assert "canary" not in shown.casefold()
    for path in warehouse.files():
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert b"canary.bird".decode().encode(encoding) not in path.read_bytes().lower(), path.name
    for entity in ("accounts", "survey_responses", "contacts", "leads", "deals"):
        assert "canary" not in str(warehouse.rows(entity)).casefold()
    assert "canary" not in str(warehouse.quarantine()).casefold()
    first, second = warehouse.rows("accounts", "account_id, email, account_name")
    assert second[0] == first[1] == second[1]
    assert second[2] == f"a {first[1]} b"


@pytest.mark.parametrize(
    ("header", "line", "key"),
    [
        ("response_id,survey,score,responded_at,comment", "R2,nps,2,2025-01-06,my boss, Jane, cried", "R2"),
        (
            "account_id,comment,response_id,survey,score,responded_at",
            "A2,good, my boss cried 9,R2,nps,2,2025-01-06",
            None,
        ),
        ("response_id,survey,score,responded_at,comment", "my boss cried, and left", None),
        ("response_id,survey,score,responded_at,comment", "Jane", None),
    ],
)
def test_what_moved_into_the_place_of_the_key_is_not_published(
    header: str, line: str, key: str | None, warehouse: Warehouse, write: Write
) -> None:
    good = {"response_id": "R1", "survey": "nps", "score": "9", "responded_at": "2025-01-05", "account_id": "A1"}
    first = ",".join(good.get(name, "") for name in header.split(","))
    warehouse.land(write("survey_responses.csv", f"{header}\n{first}\n{line}\n"))
    assert [row["key_value"] for row in warehouse.quarantine()] == [key]


def test_the_key_file_is_private_and_kept(tmp_path: Path) -> None:
    key = token_key(tmp_path / "w")
    path = tmp_path / "w" / "token.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert token_key(tmp_path / "w") == key
    assert [each.name for each in (tmp_path / "w").iterdir()] == ["token.key"]
    assert token_key(tmp_path / "v") != key


def test_the_key_of_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_TOKEN_KEY", "a key of the company")
    assert token_key(tmp_path / "w") == b"a key of the company"
    assert not (tmp_path / "w").exists()
    monkeypatch.setenv("WAREHOUSE_TOKEN_KEY", "short")
    with pytest.raises(WarehouseError, match="too short"):
        token_key(tmp_path / "w")
