#!/bin/bash
# A session of pgbench: init in all its steps, its built-in scripts and one of our own in each protocol. run.sh URI
# Prints what has to agree (rows, sums, transactions done and failed), never how fast.
set -u
uri=$1 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "VERSION $(pgbench --version | awk '{print $3}')"

report() { # report NAME COMMAND…: one line of what the command prints
	local name=$1 out; shift
	if out=$("$@" 2>&1); then echo "PASS $name = $(paste -sd'~' <<<"$out")"; else echo "FAIL $name: $(paste -sd'~' <<<"$out")"; fi
}
ask() { psql -XAtq -v ON_ERROR_STOP=1 "$uri" "$@"; }
init() { pgbench -i -q "$@" "$uri" 2>&1 | sed -E 's/ in [0-9.]+ s \(.*//; s/.*elapsed [0-9.]+ s.*//; /^ *$/d; /of [0-9]+ tuples/d'; return "${PIPESTATUS[0]}"; }
# bench OPTION…: the report without what a clock or chance says
bench() {
	pgbench -n "$@" "$uri" >"$work/out" 2>&1 || { cat "$work/out"; return 1; }
	sed -E '/^( - )?(latency|tps|initial connection|average connection|statement latencies|number of transactions retried|total number of retries|pgbench \()/d
		s/^ +[0-9.]+ +([0-9]+ )?/  /; s/ \([0-9.]+% of total, tps.*//; s#^(transaction type: ).*/#\1#' "$work/out"
}
sums() {
	ask -c "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history) AS accounts,
		(SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM pgbench_tellers) AS tellers, (SELECT count(*) FROM pgbench_history) AS history"
}
both() { # the history of tpcb-like agrees with all three tables
	ask -c "SELECT (SELECT sum(delta) FROM pgbench_history) = (SELECT sum(bbalance) FROM pgbench_branches),
		(SELECT count(*) FROM (SELECT tid, sum(delta) FROM pgbench_history GROUP BY tid) h JOIN pgbench_tellers t USING (tid) WHERE h.sum <> t.tbalance),
		(SELECT count(*) FROM (SELECT aid, sum(delta) FROM pgbench_history GROUP BY aid) h JOIN pgbench_accounts a USING (aid) WHERE h.sum <> a.abalance)"
}
shape() {
	ask -c "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'pgbench%' ORDER BY 1::text, 2" \
		-c "SELECT relname, relkind, relpersistence, reloptions FROM pg_class WHERE relname LIKE 'pgbench%' ORDER BY 1" \
		-c "SELECT count(*), sum(aid), count(DISTINCT bid), sum(abalance) FROM pgbench_accounts" -c "SELECT count(*), sum(tbalance) FROM pgbench_tellers" -c "SELECT count(*) FROM pgbench_branches"
}

for steps in dtgvp dtGvp dtgvpf dtpfg; do
	report "init $steps" init -I $steps
	report "tables of $steps" shape
done
report "init unlogged" init --unlogged-tables
report "tables unlogged" shape
for partitions in range hash; do
	report "init partitions by $partitions" init --partitions 3 --partition-method $partitions
	report "tables in partitions by $partitions" shape
	report "tpcb-like on partitions by $partitions" bench -c 2 -t 20
	report "sums of partitions by $partitions" both
done
init -I d >/dev/null
report "init scale 2" init -s 2 --foreign-keys
for protocol in simple extended prepared; do
	ask -c 'TRUNCATE pgbench_history' -c 'UPDATE pgbench_accounts SET abalance = 0 WHERE abalance <> 0' -c 'UPDATE pgbench_tellers SET tbalance = 0' -c 'UPDATE pgbench_branches SET bbalance = 0'
	report "tpcb-like $protocol" bench -M $protocol -b tpcb-like -c 4 -j 2 -t 50
	report "sums after tpcb-like $protocol" both
	report "simple-update $protocol" bench -M $protocol -b simple-update -c 4 -j 2 -t 50
	report "sums after simple-update $protocol" sums
	report "select-only $protocol" bench -M $protocol -b select-only -c 4 -j 2 -t 200
	report "mix $protocol" bench -M $protocol -b tpcb-like@0 -b select-only@1 -c 2 -t 20
	report "connection each $protocol" bench -M $protocol -C -S -c 2 -t 10
	report "statement by statement $protocol" bench -M $protocol -r -N -c 1 -t 10
	cat >"$work/own.sql" <<-'SQL'
		\set a random(1, 100000 * :scale)
		\set d random_gaussian(1, 100, 2.5)
		\if :d > 50
		SELECT abalance AS before FROM pgbench_accounts WHERE aid = :a \gset
		\else
		SELECT bid AS before, aid AS same FROM pgbench_accounts WHERE aid = :a \gset x_
		\endif
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT count(*) AS n FROM pgbench_tellers WHERE tid BETWEEN 1 AND 5 \aset
		INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, :a, 0, CURRENT_TIMESTAMP);
		END;
	SQL
	report "own script $protocol" bench -M $protocol -f "$work/own.sql" -c 2 -t 20 -s 2
	report "history after own script $protocol" sums
	if [ $protocol != simple ]; then
		cat >"$work/pipe.sql" <<-'SQL'
			\set a random(1, 100000)
			\startpipeline
			BEGIN;
			UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :a;
			INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (1, 1, :a, 1, CURRENT_TIMESTAMP);
			END;
			\endpipeline
		SQL
		report "pipeline $protocol" bench -M $protocol -f "$work/pipe.sql" -c 1 -t 20
		report "sums after pipeline $protocol" sums
	fi
	# Conflicts are retried until none is left.
	cat >"$work/retry.sql" <<-'SQL'
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		UPDATE pgbench_branches SET filler = (coalesce(nullif(trim(filler), ''), '0')::int + 1)::text WHERE bid = 2;
		END;
	SQL
	ask -c 'UPDATE pgbench_branches SET filler = NULL WHERE bid = 2'
	report "retries $protocol" bench -M $protocol -f "$work/retry.sql" -c 4 -j 2 -t 10 --max-tries 1000
	report "no update lost $protocol" ask -c 'SELECT trim(filler) FROM pgbench_branches WHERE bid = 2'
done
report "tells an error" bash -c "echo 'SELECT 1/0' >'$work/bad.sql'; pgbench -n -t 1 -f '$work/bad.sql' '$uri' 2>&1 | grep ERROR | sed 's/.*ERROR/ERROR/'"
report "drops" init -I d
report "none left" ask -c "SELECT count(*) FROM pg_class WHERE relname LIKE 'pgbench%'"
