"""A canary through the whole command: no address anywhere, no comment or contact name in anything that people read."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import duckdb

ADDRESS = b"canary.bird@private.example"
COMMENT = b"the canary sings in the server room"
CONTACT = b"Kanari Binti Burung"
WAREHOUSE = Path(sys.executable).parent / "warehouse"


def run(root: Path, *arguments: str) -> bytes:
    finished = subprocess.run(
        [str(WAREHOUSE), *arguments],
        env={**os.environ, "WAREHOUSE_DIR": str(root)},
        capture_output=True,
        check=False,
    )
    return finished.stdout + finished.stderr


def files_with(text: bytes, folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.rglob("*")) if path.is_file() and text in path.read_bytes()]


def write_exports(exports: Path) -> None:
    """Write the exports of a company whose secrets stand in every kind of column."""
    address, comment, contact = ADDRESS.decode(), COMMENT.decode(), CONTACT.decode()
    exports.mkdir()
    (exports / "accounts.csv").write_text(f"account_id,account_name,email\nA1,Burung,{address}\n{address},x,\n")
    (exports / "contacts.csv").write_text(f"contact_id,account_id,full_name,email\nC1,A1,{contact},{address}\n")
    (exports / "survey_responses.csv").write_text(
        "response_id,account_id,survey,score,comment,responded_at,respondent_id\n"
        f'R1,A1,nps,9,"{comment}, says {address}",2024-03-01,{address}\n'
        f'R2,A1,nps,not a score,"{comment}",2024-03-02,{address}\n'
        f'R3,A1,nps,7,"{comment}",no date {address},C1\n'
    )


def columns_with(texts: Iterable[bytes], published: Path) -> set[str]:
    """Return the columns of the published marts, as mart.column, in which one of the texts stands."""
    found = set()
    with duckdb.connect(str(published), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and data_type = 'VARCHAR'"
        ).fetchall()
        for mart, column in columns:
            for text in texts:
                query = f"select count(*) from marts.{mart} where contains({column}, ?)"
                if connection.execute(query, [text.decode()]).fetchall() != [(0,)]:
                    found.add(f"{mart}.{column}")
    return found


def test_no_address_and_no_comment_leaves_the_landing_zone(tmp_path: Path) -> None:
    exports, root = tmp_path / "exports", tmp_path / "warehouse"
    write_exports(exports)
    said = run(root, "land", str(exports)) + run(root, "build") + run(root, "status") + run(root, "build", "--json")
    assert (root / "published" / "warehouse.duckdb").exists(), said.decode()
    assert ADDRESS not in said
    assert files_with(ADDRESS, root) == []
    for secret in (COMMENT, CONTACT):
        assert secret not in said
        readable = [path for path in files_with(secret, root) if not path.endswith((".parquet", "build.duckdb"))]
        assert readable == []
    # The scan can find what it looks for.
    assert files_with(ADDRESS, exports)


def test_allowed_personal_data_stands_in_two_columns_and_goes_again(tmp_path: Path) -> None:
    exports, root = tmp_path / "exports", tmp_path / "warehouse"
    published = root / "published" / "warehouse.duckdb"
    write_exports(exports)
    said = run(root, "land", str(exports))
    wrong = run(root, "build", "--vars", "{published_personal_data: [comments]}")
    assert b"published_personal_data cannot be comments" in wrong
    assert not published.exists()
    said += run(root, "build", "--vars", "{published_personal_data: [contact_names, survey_comments]}")
    assert columns_with((COMMENT, CONTACT), published) == {"survey_comments.comment", "account_contacts.full_name"}
    # Nobody asked for it any more: the marts become empty, and that is no loss that has to be accepted.
    said += run(root, "build")
    assert columns_with((COMMENT, CONTACT), published) == set()
    assert files_with(COMMENT, published.parent) == files_with(CONTACT, published.parent) == []
    assert b"failed" not in said
    for secret in (ADDRESS, COMMENT, CONTACT):
        assert secret not in said
    assert files_with(ADDRESS, root) == []
