#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own: a new cluster in a temporary folder, reached over a socket only,
# gone when the command ends. Installs Debian's package where there is no server and root may install one.
#   scripts/with_postgres.sh COMMAND…      (WAREHOUSE_TEST_POSTGRES holds the URL of the database)
set -euo pipefail

find_server() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }

binaries=$(find_server)
if [ -z "$binaries" ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: no PostgreSQL server found: install one (Debian: apt-get install postgresql)" >&2
        exit 1
    fi
    echo "Installing PostgreSQL …" >&2
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
    binaries=$(find_server)
fi

cluster=$(mktemp -d "${TMPDIR:-/tmp}/warehouse-postgres-XXXXXX")
# A server refuses to run as root: then it runs as the package's own user.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$cluster"
    as_owner=(runuser -u postgres --)
fi
stop() {
    "${as_owner[@]}" "$binaries/pg_ctl" -D "$cluster/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$cluster"
}
trap stop EXIT

cd "$cluster"
"${as_owner[@]}" "$binaries/initdb" -D "$cluster/data" -U owner --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
"${as_owner[@]}" "$binaries/pg_ctl" -D "$cluster/data" -w -l "$cluster/log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$cluster' -c fsync=off" start >/dev/null
cd - >/dev/null
chmod 755 "$cluster"

export WAREHOUSE_TEST_POSTGRES="postgresql://owner@/postgres?host=$cluster"
"$@"
