"""The password in the URL of `--to` stands in no message, whatever is wrong with the URL or the server."""

import pytest

from publishing.companies import keep
from warehouse.errors import WarehouseError
from warehouse.paths import WarehousePaths
from warehouse.publishing.live import publish_version
from warehouse.publishing.postgres import publish_to_postgres

pytest.importorskip("psycopg", reason="`make test-postgres` has the PostgreSQL client")
MALFORMED = "the URL of --to is malformed: percent-encode the signs of the user and the password"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> WarehousePaths:
    paths = WarehousePaths(tmp_path_factory.mktemp("passwords") / "warehouse")
    publish_version(paths, keep(paths, "first", rows=5))
    return paths


@pytest.mark.parametrize(
    "url",
    [
        "postgres://bob:S3%CRETPW@127.0.0.1/db",
        "postgres://bob:CRET%PW@127.0.0.1/db",
        "postgres://[bob:S3CRETPW/db",
        "postgres://bob:S3@CRETPW@127.0.0.1/db",
        "postgres://bob:S3/CRETPW@127.0.0.1/db",
        "postgres://bob:S3CRETPW/x@127.0.0.1/db",
        "postgres://bob:12/S3CRETPW@127.0.0.1/db",
        "postgres://bob:S3?CRETPW@127.0.0.1/db",
        "postgres://bob:S3CRETPW?x@127.0.0.1/db",
        "postgres://bob:S3CRETPW",
        "postgres://bob@127.0.0.1/db?S3CRETPW",
        "postgres://bob@127.0.0.1/db?password=S3CRET%PW",
    ],
)
def test_a_malformed_url_is_never_quoted(url: str, paths: WarehousePaths) -> None:
    with pytest.raises(WarehouseError) as caught:
        publish_to_postgres(paths, url, "reader")
    assert str(caught.value).startswith(MALFORMED)
    assert "CRET" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://bob:S3CRETPW@127.0.0.1:1/db",
        "postgres://bob:S3%40CRETPW@localhost:1,127.0.0.1:1/db",
        "postgres://bob:S3CRETPW@[::1]:1/db",
        "postgres://bob@127.0.0.1:1/db?password=S3CRETPW",
        "postgres://bob@/db?host=/nowhere&password=S3CRETPW",
        # A server of this name, which the message names.
        "postgres://bob:S3CRETPW@S3CRETPW.invalid/db",
        "postgres://bob:S3%43RETPW@S3CRETPW.invalid/db",
    ],
)
def test_no_message_of_the_client_repeats_the_password(url: str, paths: WarehousePaths) -> None:
    with pytest.raises(WarehouseError, match=r"^PostgreSQL refused: ") as caught:
        publish_to_postgres(paths, url, "reader")
    assert "CRET" not in str(caught.value)
