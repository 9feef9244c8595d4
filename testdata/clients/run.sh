#!/bin/bash
# Runs real clients against OmenDB and PostgreSQL 15 beside it. Prints a line per client (client, version, checks passed of those
# that PostgreSQL passes), or SKIP where it is not installed, and a total; exit code 1 when a check differs that known.txt does not name.
#
#   testdata/clients/run.sh [-only CLIENT,...] [-docs FILE] [-keep] [-omendb BINARY] POSTGRES_URI|stored [OMENDB_URI]
#
# Both addresses are superusers' and name any database; databases clients_* are made anew. Without OMENDB_URI a server in memory is
# started, of the binary given or built here. "stored" compares with what PostgreSQL answered when -keep wrote it down (answers/).
# -docs writes the table of docs/clients.md. Clients install with install.sh; what differs in full: VERBOSE=1.
set -u
here=$(cd "$(dirname "$0")" && pwd) only= docs= binary= keep=
while [ $# -gt 0 ]; do
	case $1 in
	-only) only=,$2,; shift 2 ;;
	-docs) docs=$2; shift 2 ;;
	-keep) keep=1; shift ;;
	-omendb) binary=$2; shift 2 ;;
	*) break ;;
	esac
done
[ $# -eq 1 ] || [ $# -eq 2 ] || { sed -n 2,10p "$0" >&2; exit 2; }
postgres=$1 omen=${2:-}
work=$(mktemp -d) server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
passed=0 total=0
export PGTZ=UTC TZ=UTC PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3 # Debian's, which has Debian's modules

# at URI NAME: the address of another database of the same server.
at() { sed -E "s#^(postgres(ql)?://[^/]*/)[^?]*#\1$2#" <<<"$1"; }

# figure CLIENT VERSION PASSED TOTAL
figure() {
	grep -vxF -f <(sed -n "s/^$1: //p" "$here/known.txt") "$work/differs" | sed "s/^/$1: /" >>"$work/unknown"
	printf '%-14s %-12s %4d of %d\n' "$1" "$2" "$3" "$4"
	passed=$((passed + $3)) total=$((total + $4))
	printf '| %s | %s | %d of %d | %s |\n' "$1" "$2" "$3" "$4" "$(sed "s/|/\\\\|/g" "$work/differs" | paste -sd, | sed 's/,/, /g')" >>"$work/table"
	: >"$work/differs"
}

# fresh URI NAME: makes an empty database.
fresh() { psql -Xq "$1" -c "DROP DATABASE IF EXISTS $2 WITH (FORCE)" -c "CREATE DATABASE $2" 2>/dev/null; }

# dump URI [OPTION…]: what pg_dump writes, without versions and its random marks.
dump() { local uri=$1; shift; timeout 60 pg_dump "$@" "$uri" | grep -v -E '^\\(un)?restrict |^-- Dumped '; }

check() { # check NAME COMMAND…: counts one comparison
	local name=$1; shift; n=$((n + 1))
	if "$@" >"$work/diff" 2>&1; then ok=$((ok + 1)); else printf '  differs: %s\n' "$name"; head -10 "$work/diff"; echo "$name" >>"$work/differs"; fi
}

load() {
	for uri in "$postgres" "$omen"; do
		fresh "$uri" clients_src
		psql -Xq "$uri" -c 'CREATE ROLE cl_reader' 2>/dev/null # an earlier run may have left it
		psql -Xq "$(at "$uri" clients_src)" -f "$here/schema.sql" >/dev/null 2>"$work/errors" || true
		[ ! -s "$work/errors" ] || { echo "loading the schema into $uri:"; cat "$work/errors"; }
	done
}

dumps() {
	local n=0 ok=0 options format
	for options in '' --inserts --schema-only '--clean --if-exists' '--create --no-owner'; do
		dump "$(at "$postgres" clients_src)" $options >"$work/want"
		dump "$(at "$omen" clients_src)" $options >"$work/got"
		check "pg_dump $options" diff "$work/want" "$work/got"
	done
	dump "$(at "$postgres" clients_src)" >"$work/want"
	for format in p c t d; do
		for from in "$omen" "$postgres"; do
			for to in "$omen" "$postgres"; do
				rm -rf "$work/archive"; fresh "$to" clients_copy
				pg_dump -F$format -f "$work/archive" "$(at "$from" clients_src)"
				if [ $format = p ]; then psql -Xq "$(at "$to" clients_copy)" -f "$work/archive" >/dev/null
				else pg_restore -d "$(at "$to" clients_copy)" "$work/archive"; fi
				dump "$(at "$to" clients_copy)" >"$work/got"
				check "format $format from ${from##*@} to ${to##*@}" diff "$work/want" "$work/got"
			done
		done
	done
	figure pg_dump "$(pg_dump --version | awk '{print $3}')" $ok $n
}

describes() {
	local n=0 ok=0 line
	while IFS= read -r line; do
		psql -X "$(at "$postgres" clients_src)" <<<"$line" >"$work/want" 2>&1
		psql -X "$(at "$omen" clients_src)" <<<"$line" >"$work/got" 2>&1
		check "$line" diff "$work/want" "$work/got"
	done <"$here/psql.txt"
	figure psql "$(psql --version | awk '{print $3}')" $ok $n
}

wanted() { [ -z "$only" ] || [[ $only == *,$1,* ]]; }

# session NAME PROBE COMMAND…: runs a client's session on both servers; a check passes when OmenDB's line is PostgreSQL's. Object ids
# and addresses in memory differ between servers and do not count.
session() {
	local name=$1 probe=$2 uri out database=clients_$1
	shift 2
	wanted "$name" || return 0
	if ! (cd "$here" && eval "$probe") >/dev/null 2>&1; then echo "$name  SKIP: not installed"; return 0; fi
	for out in want got; do
		[ $out = want ] && uri=$postgres || uri=$omen
		if [ "$uri" = stored ]; then
			if [ ! -f "$here/answers/$name.txt" ]; then echo "$name  SKIP: no stored answers"; return 0; fi
			cp "$here/answers/$name.txt" "$work/want"; grep -a '^PASS' "$work/want" >"$work/want.pass"
			continue
		fi
		"$work/goclients" load "$uri" "$database" "$here/shop.sql" || return 1
		(cd "$here" && timeout 180 "$@" "$(at "$uri" "$database")") >"$work/$out" 2>"$work/errors"
		grep -a '^PASS' "$work/$out" | sed -E 's/2200_[0-9]+_/2200_n_/g; s/(127\.0\.0\.1|localhost):[0-9]+//g' | LC_ALL=C sort >"$work/$out.pass"
	done
	[ -z "$keep" ] || { mkdir -p "$here/answers"; { grep -a -m1 '^VERSION' "$work/want"; cat "$work/want.pass"; } >"$here/answers/$name.txt"; }
	LC_ALL=C comm -23 "$work/want.pass" "$work/got.pass" | sed -E 's/^PASS (.*)/\1/; s/ = .*//' >"$work/differs"
	while IFS= read -r line; do
		printf '  differs: %s\n' "$line"
		[ -z "${VERBOSE:-}" ] || grep -ahF -e "PASS $line = " -e "FAIL $line: " "$work/want" "$work/got" | cut -c1-600
	done <"$work/differs"
	figure "$name" "$(grep -a -m1 '^VERSION' "$work/want" | cut -c9-)" "$(LC_ALL=C comm -12 "$work/want.pass" "$work/got.pass" | wc -l)" "$(wc -l <"$work/want.pass")"
}

(cd "$here/go" && go build -o "$work/goclients" .) || exit 1
if [ -z "$omen" ]; then
	[ -n "$binary" ] || { binary=$work/omendb; (cd "$here/../.." && go build -o "$binary" ./cmd/omendb) || exit 1; }
	OMENDB_PASSWORD=clients "$binary" start --data-dir :memory: --listen 127.0.0.1:54767 --socket-dir '' --superuser postgres --log-level error >"$work/server" 2>&1 &
	server=$!
	omen=postgres://postgres:clients@127.0.0.1:54767/postgres
	for _ in $(seq 50); do "$work/goclients" load "$omen" clients_probe /dev/null 2>/dev/null && break; sleep 0.1; done
fi
: >"$work/differs"; : >"$work/table"; : >"$work/unknown"
if [ "$postgres" != stored ] && { wanted psql || wanted pg_dump; }; then
	if command -v psql pg_dump pg_restore >/dev/null; then
		load
		wanted pg_dump && dumps
		wanted psql && describes
	else
		echo 'psql, pg_dump  SKIP: not installed'
	fi
fi
for module in psycopg2 asyncpg sqlalchemy django; do session $module "$python -c 'import $module'" $python python/${module}_session.py; done
session pgbench "command -v pgbench psql" pgbench/run.sh
session pgcli "$python -c 'import pgcli.main'" $python python/pgcli_session.py
session psycopg3 "$python -c 'import psycopg'" $python python/psycopg3_session.py
for client in pgx libpq stdlib gorm bun migrate goose badinput messages; do session $client "[ -x $work/goclients ]" "$work/goclients" $client; done
for client in pg postgres knex sequelize typeorm drizzle kysely; do session $client '[ -d node/node_modules ] && command -v node' node node/run.js $client; done
session perl "perl -MDBD::Pg -e 1" perl perl/session.pl
session php "php -r 'exit((int)!extension_loaded(\"pdo_pgsql\"));'" php php/session.php
session ruby_pg "ruby -e 'require \"pg\"'" ruby ruby/session.rb pg
session activerecord "ruby -e 'require \"active_record\"'" ruby ruby/session.rb activerecord
session jdbc "[ -f /usr/share/java/postgresql.jar ] && command -v javac" java/run.sh
session odbc "[ -f /usr/lib/x86_64-linux-gnu/odbc/psqlodbcw.so ] && command -v isql" odbc/run.sh
if wanted pgbouncer; then # what fails behind it without reason is unknown: there are no known differences
	"$here/pooler.sh" "$omen" >"$work/pooler"; sed '$d' "$work/pooler" | tee -a "$work/unknown"
	read -r _ count _ all < <(tail -1 "$work/pooler")
	case $count in SKIP:) tail -1 "$work/pooler" ;; *) figure pgbouncer "$(pgbouncer --version | sed -n 's/^PgBouncer //p')" "$count" "$all" ;; esac
fi
printf '%-14s %-12s %4d of %d\n' total '' $passed $total
if [ -n "$docs" ]; then
	{
		cat "$here/clients.md.in"
		printf '\n| client | version | checks passed | differs |\n|---|---|---|---|\n'
		cat "$work/table"
		printf '| total | | %d of %d | |\n' $passed $total
	} >"$docs"
fi
[ ! -s "$work/unknown" ] || { echo "differ, and known.txt does not name them:"; cat "$work/unknown"; exit 1; }
