#!/bin/bash
# Runs the own tests of pgx and lib/pq against OmenDB and compares them with the stored lists of the tests that PostgreSQL 15 passes.
#
#   testdata/clients/suites.sh [-rewrite] OMENDB_URI [POSTGRES_URI]
#
# A line of suites/*.txt is a test that PostgreSQL passes: "+" where OmenDB passes it as well, "-" where it does not.
# Exit code 1 when a test marked "+" fails. With POSTGRES_URI PostgreSQL is asked again; -rewrite writes the lists.
# Both addresses are superusers'; databases and roles pgx_test, pqgo are made where they are missing.
set -u
rewrite=; [ "${1:-}" != -rewrite ] || { rewrite=1; shift; }
[ $# -ge 1 ] && [ $# -le 2 ] || { sed -n 2,8p "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd) omen=$1 postgres=${2:-}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
limit=280 # seconds for one package's tests

# module PATH: the folder of a module that go/go.mod names, a copy that tests may write into.
module() {
	local name; name=$(basename "${1%/v5}")
	(cd "$here/go" && go mod download "$1") || exit 1
	cp -r "$(cd "$here/go" && go list -m -f '{{.Dir}}' "$1")" "$work/$name" && chmod -R u+w "$work/$name"
}

# at URI NAME: the address of another database of the same server.
at() { sed -E "s#^(postgres(ql)?://[^/]*/)[^?]*#\1$2#" <<<"$1"; }

# prepare URI: what the suites' own set-up scripts make. Extensions that a server does not have leave their tests skipped or failing.
prepare() {
	{
		psql -Xq "$1" -c 'CREATE DATABASE pgx_test' -c 'CREATE DATABASE pqgo'
		psql -Xq "$1" -c "CREATE ROLE pqgo SUPERUSER LOGIN PASSWORD 'secret'"
		psql -Xq "$(at "$1" pgx_test)" -c 'CREATE EXTENSION hstore' -c 'CREATE EXTENSION ltree' -c 'CREATE DOMAIN uint64 AS numeric(20,0)' \
			-c "CREATE ROLE \" tricky, ' } \"\" \\ test user \" SUPERUSER PASSWORD 'secret'"
		psql -Xq "$(at "$1" pqgo)" -c 'CREATE EXTENSION hstore'
	} >/dev/null 2>&1
}

# passes LOG: the names of the tests that passed.
passes() { grep -aoE -- '--- PASS: [^ ]+' "$1" | cut -c11- | grep -v /tmp/ | LC_ALL=C sort -u; } # names with folders of a run are left out

# pgx URI: the names that pass, each after the name of its package.
pgx() {
	local package name
	for package in . pgconn pgtype pgxpool stdlib; do
		name=$([ $package = . ] && echo pgx || echo $package)
		(cd "$work/pgx/$package" && PGX_TEST_DATABASE=$(at "$1" pgx_test) PGX_TEST_TCP_CONN_STRING=$(at "$1" pgx_test) \
			timeout $limit "$work/$name.test" -test.v -test.timeout ${limit}s) >"$work/log" 2>&1
		passes "$work/log" | sed "s,^,$name ,"
	done
}

# libpq URI: the same for lib/pq, which takes the server's place from the environment. Two of its examples want another host and port.
libpq() {
	local host port
	read -r host port < <(sed -E 's#^postgres(ql)?://([^@/]*@)?([^:/]+):([0-9]+)/.*#\3 \4#' <<<"$1")
	(cd "$work/pq" && echo '*:*:*:*:secret' >pass && chmod 600 pass && env -u PGPASSWORD PGHOST="$host" PGPORT="$port" PGUSER=pqgo PGDATABASE=pqgo \
		PGSSLMODE=disable PGPASSFILE="$work/pq/pass" timeout $limit "$work/pq.test" -test.v -test.timeout ${limit}s -test.skip 'Example_open') >"$work/log" 2>&1
	passes "$work/log" | sed 's,^,pq ,'
}

# compare NAME COMMAND: runs a suite and prints how many of PostgreSQL's passes are OmenDB's.
compare() {
	local name=$1 list="$here/suites/$1.txt" lost
	$2 "$omen" >"$work/omen"
	if [ -n "$postgres" ]; then $2 "$postgres" >"$work/want"; else cut -c3- "$list" | LC_ALL=C sort >"$work/want"; fi
	LC_ALL=C sort -o "$work/omen" "$work/omen"; LC_ALL=C sort -o "$work/want" "$work/want"
	{ LC_ALL=C comm -12 "$work/want" "$work/omen" | sed 's/^/+ /'; LC_ALL=C comm -23 "$work/want" "$work/omen" | sed 's/^/- /'; } | LC_ALL=C sort -k2 >"$work/list"
	printf '%-8s %5d of %d tests, subtests counted\n' "$name" "$(grep -c '^+' "$work/list")" "$(wc -l <"$work/list")"
	printf '%-8s %5d of %d tests, without subtests\n' "$name" "$(grep '^+' "$work/list" | grep -vc /)" "$(grep -vc / "$work/list")"
	lost=$(LC_ALL=C comm -13 <(grep '^+' "$work/list" | cut -c3- | LC_ALL=C sort) <(grep '^+' "$list" 2>/dev/null | cut -c3- | LC_ALL=C sort))
	[ -z "$rewrite" ] || cp "$work/list" "$list"
	[ -z "$lost" ] || { echo "passed before, fails now:"; echo "$lost"; return 1; }
}

command -v psql >/dev/null || { echo "SKIP: psql is not installed"; exit 0; }
module github.com/jackc/pgx/v5
module github.com/lib/pq
for package in . pgconn pgtype pgxpool stdlib; do
	(cd "$work/pgx" && go test -c -o "$work/$([ $package = . ] && echo pgx || echo $package).test" ./$package) || exit 1
done
(cd "$work/pq" && go test -c -o "$work/pq.test" .) || exit 1
prepare "$omen"
[ -z "$postgres" ] || prepare "$postgres"
failed=0
compare pgx pgx || failed=1
compare pq libpq || failed=1
exit $failed
