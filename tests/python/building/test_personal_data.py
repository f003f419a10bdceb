"""A canary through the whole command: no address anywhere, no comment or contact name in anything that people read."""

import os
import subprocess
import sys
from pathlib import Path

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


def test_no_address_and_no_comment_leaves_the_landing_zone(tmp_path: Path) -> None:
    address, comment, contact = ADDRESS.decode(), COMMENT.decode(), CONTACT.decode()
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "accounts.csv").write_text(f"account_id,account_name,email\nA1,Burung,{address}\n{address},x,\n")
    (exports / "contacts.csv").write_text(f"contact_id,account_id,full_name,email\nC1,A1,{contact},{address}\n")
    (exports / "survey_responses.csv").write_text(
        "response_id,account_id,survey,score,comment,responded_at,respondent_id\n"
        f'R1,A1,nps,9,"{comment}, says {address}",2024-03-01,{address}\n'
        f'R2,A1,nps,not a score,"{comment}",2024-03-02,{address}\n'
        f'R3,A1,nps,7,"{comment}",no date {address},C1\n'
    )
    root = tmp_path / "warehouse"
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
