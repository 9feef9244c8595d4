#!/usr/bin/env bash
# Starts a PostgreSQL 15 to compare with, from the Debian package postgresql-15, and prints its URI: `make pg`.
# PG_DIR (its data) and PG_PORT say where, PG_CONF adds a file's settings. `postgres.sh stop` stops it.
set -euo pipefail

bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
dir=${PG_DIR:-${TMPDIR:-/tmp}/omendb-postgres}
port=${PG_PORT:-54329}

[ -x "$bin/initdb" ] || { echo "PostgreSQL 15 is not in $bin: apt-get install postgresql-15, or set PG_BIN" >&2; exit 2; }

# PostgreSQL does not run as root.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

if [ "${1:-}" = stop ]; then
	as_postgres "$bin/pg_ctl" -D "$dir/data" -m fast stop
	exit
fi
if [ ! -d "$dir/data" ]; then
	mkdir -p "$dir"
	[ "$(id -u)" != 0 ] || chown postgres "$dir"
	as_postgres "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale C >/dev/null
	as_postgres tee -a "$dir/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = '127.0.0.1'
		port = $port
		unix_socket_directories = '$dir'
		max_prepared_transactions = 10
	CONF
	[ -z "${PG_CONF:-}" ] || as_postgres tee -a "$dir/data/postgresql.conf" <"$PG_CONF" >/dev/null
fi
as_postgres "$bin/pg_ctl" -D "$dir/data" status >/dev/null || as_postgres "$bin/pg_ctl" -w -D "$dir/data" -l "$dir/log" start >/dev/null
echo "postgres://postgres@127.0.0.1:$port/postgres"
