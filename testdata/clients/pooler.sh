#!/bin/bash
# Runs pgbench and psql against a server through pgbouncer; prints what fails and, last, how many checks passed.
#
#   testdata/clients/pooler.sh URI
#
# The address is a superuser's. pgbench's tables are made anew in the database clients_pool. Prepared statements that outlive a transaction need
# pgbouncer 1.21 in transaction mode, so they are tested in session mode.
set -u
[ $# -eq 1 ] || { sed -n 2,7p "$0" >&2; exit 2; }
for tool in pgbouncer pgbench psql; do
	command -v $tool >/dev/null || { echo "pgbouncer    SKIP: $tool is not installed"; exit 0; }
done
work=$(mktemp -d) n=0 ok=0 pooler=
trap '[ -z "$pooler" ] || kill $pooler 2>/dev/null; rm -rf "$work"' EXIT
chmod 755 "$work"
IFS=$'\t' read -r user password host port < <(sed -E 's#^postgres(ql)?://([^:@/]+)(:([^@]*))?@([^:/]+):([0-9]+)/.*#\2\t-\4\t\5\t\6#' <<<"$1")
psql -Xq "$1" -c 'DROP DATABASE IF EXISTS clients_pool' -c 'CREATE DATABASE clients_pool' 2>/dev/null

# A port that nobody listens on.
at=$((20000 + RANDOM % 10000))
while (exec 3<>/dev/tcp/127.0.0.1/$at) 2>/dev/null; do at=$((at + 1)); done

[ "$password" = - ] || password=" password=${password#-}"
cat >"$work/pgbouncer.ini" <<EOF
[databases]
session = host=$host port=$port user=$user${password#-} dbname=clients_pool pool_mode=session
transaction = host=$host port=$port user=$user${password#-} dbname=clients_pool pool_mode=transaction
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $at
unix_socket_dir =
auth_type = any
default_pool_size = 3
server_reset_query = DISCARD ALL
server_reset_query_always = 1
ignore_startup_parameters = extra_float_digits
EOF
[ "$(id -u)" != 0 ] || echo 'user = nobody' >>"$work/pgbouncer.ini"
pgbouncer -q "$work/pgbouncer.ini" >"$work/pgbouncer.log" 2>&1 &
pooler=$!
for _ in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/$at) 2>/dev/null && break; sleep 0.1; done

to() { echo "host=127.0.0.1 port=$at user=$user dbname=$1"; }

# check NAME COMMAND…: counts a command that succeeds
check() {
	local name=$1; shift; n=$((n + 1))
	if "$@" >"$work/out" 2>&1; then ok=$((ok + 1)); else printf '  fails: %s\n' "$name"; head -5 "$work/out"; fi
}

# says WANT POOL [PSQL OPTION…]: whether psql prints exactly that
says() {
	local want=$1 pool=$2 got; shift 2
	got=$(timeout 20 psql -XqAt "$(to "$pool")" "$@" 2>&1)
	[ "$got" = "$want" ] || { echo "got $got"; return 1; }
}

# bench POOL [OPTION…]: more clients than the pool has connections, none of which may fail
bench() {
	local pool=$1; shift
	timeout 60 pgbench -h 127.0.0.1 -p $at -U "$user" -n -c 8 -j 2 -t 40 "$@" "$pool" >"$work/bench" 2>&1 &&
		grep -q 'actually processed: 320/320' "$work/bench" || { cat "$work/bench"; return 1; }
}

# counted: that every transaction of pgbench is there once
counted() { says "$1|t" transaction -c 'SELECT count(*), sum(delta) = (SELECT sum(abalance) FROM pgbench_accounts) FROM pgbench_history'; }

check 'pgbench -i' timeout 60 pgbench -h 127.0.0.1 -p $at -U "$user" -i -q transaction
check 'simple, transaction mode' bench transaction -M simple
check 'extended, transaction mode' bench transaction -M extended
check 'what was written' counted 640
check "prepared, session mode" timeout 60 pgbench -h 127.0.0.1 -p $at -U "$user" -n -c 2 -j 2 -t 40 -S -C -M prepared session
check 'prepared, session mode, kept connections' timeout 60 pgbench -h 127.0.0.1 -p $at -U "$user" -n -c 3 -j 2 -t 50 -M prepared session
check 'startup parameters' env PGAPPNAME=pooled PGTZ=Asia/Tokyo PGDATESTYLE=German PGCLIENTENCODING=UTF8 "$BASH" -c \
	"[ \"\$(psql -XqAt '$(to transaction)' -c 'SHOW application_name' -c 'SHOW timezone' -c 'SHOW datestyle' | tr '\n' ' ')\" = 'pooled Asia/Tokyo German, DMY ' ]"
check 'the next client has its own settings' says 'Etc/UTC' transaction -c "SET timezone = 'Etc/UTC'" -c 'SHOW timezone'
check 'settings are reset' says '0|4MB' transaction -c "SELECT count(*), current_setting('work_mem') FROM pg_prepared_statements"
for left in 'PREPARE left_over AS SELECT 1' 'CREATE TEMP TABLE left_over (a int)' "SET work_mem = '7MB'" 'LISTEN left_over' \
	'DECLARE left_over CURSOR WITH HOLD FOR SELECT 1' 'SELECT pg_advisory_lock(99)'; do
	check "reset after $left" timeout 20 psql -XqAt "$(to session)" -c "$left"
done
check 'nothing is left over' says '0|4MB|0|0|0|0' session -c "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('work_mem'),
	(SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_class WHERE relname = 'left_over'),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')"
check 'an error inside a transaction' says $'ERROR:  division by zero\nERROR:  current transaction is aborted, commands ignored until end of transaction block\n5' \
	transaction -c 'BEGIN' -c 'SELECT 1/0' -c 'SELECT 2' -c 'ROLLBACK' -c 'SELECT 5'
printf '%-12s %4d of %d\n' pgbouncer $ok $n
