#!/bin/bash
# Runs psql, pg_dump and pg_restore against OmenDB and
# PostgreSQL 15 beside it; prints a figure per client, or SKIP where they are not installed.
#
#   testdata/clients/run.sh OMENDB_URI POSTGRES_URI
#
# Both addresses are superusers' and name any database; databases clients_* are made anew.
set -u
[ $# -eq 2 ] || { sed -n 2,8p "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd) omen=$1 postgres=$2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
passed=0 total=0

# at URI NAME: the address of another database of the same server.
at() { sed -E "s#^(postgres(ql)?://[^/]*/)[^?]*#\1$2#" <<<"$1"; }

# figure CLIENT PASSED TOTAL
figure() {
	printf '%-12s %4d of %d\n' "$1" "$2" "$3"
	passed=$((passed + $2)) total=$((total + $3))
}

# fresh URI NAME: makes an empty database.
fresh() { psql -Xq "$1" -c "DROP DATABASE IF EXISTS $2" -c "CREATE DATABASE $2" 2>/dev/null; }

# dump URI [OPTION…]: what pg_dump writes, without versions and its random marks.
dump() { local uri=$1; shift; timeout 60 pg_dump "$@" "$uri" | grep -v -E '^\\(un)?restrict |^-- Dumped '; }

check() { # check NAME COMMAND…: counts one comparison
	local name=$1; shift; n=$((n + 1))
	if "$@" >"$work/diff" 2>&1; then ok=$((ok + 1)); else printf '  differs: %s\n' "$name"; head -10 "$work/diff"; fi
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
	figure pg_dump $ok $n
}

describes() {
	local n=0 ok=0 line
	while IFS= read -r line; do
		psql -X "$(at "$postgres" clients_src)" <<<"$line" >"$work/want" 2>&1
		psql -X "$(at "$omen" clients_src)" <<<"$line" >"$work/got" 2>&1
		check "$line" diff "$work/want" "$work/got"
	done <"$here/psql.txt"
	figure psql $ok $n
}

for tool in psql pg_dump pg_restore; do
	command -v $tool >/dev/null || { echo "psql, pg_dump  SKIP: $tool is not installed"; exit 0; }
done
load
dumps
describes
printf '%-12s %4d of %d\n' total $passed $total
[ $passed -eq $total ]
