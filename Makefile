# The two commands of the README need no make. These targets are for development; `make help` lists them.
.PHONY: bench introspection torture torture-long torture-sql help build test ci isolation-verify isolation-random ddl-audit large-transaction isolation-rewrite sqllogic sqllogic-verify sqllogic-rewrite pgregress kill fuzz race coverage history history-kill history-failures pg pg-diff bench-sql bench-tpch bench-wire bench-commit large-table

SQLLOGIC_DIR ?= ../shared/sqllogictest/test
PGREGRESS_DIR ?= ../shared/pgregress
KILL_CYCLES ?= 500
FUZZ_SECONDS ?= 600

help: ## this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 20

build: ## the server's binary, ./omendb
	go build -o omendb ./cmd/omendb

test: ## what the README says
	go test ./...

ci: ## everything that has to pass before a change is taken
	.ci/run

sqllogic: ## every script below SQLLOGIC_DIR, in full, with figures by folder
	go test ./internal/sqllogic -run SQLLogic -v -timeout 60m -sqllogic.dir $(abspath $(SQLLOGIC_DIR)) 2>&1 | grep -vE '^ *(---|===) '

sqllogic-verify: ## our own scripts on the PostgreSQL server at PG_DSN: are the expectations right?
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	go test ./internal/sqllogic -run SQLLogic/own -count 1 -v -sqllogic.dsn $(PG_DSN) 2>&1 | grep -vE '^ *(---|===) '

sqllogic-rewrite: ## write the answers of the PostgreSQL server at PG_DSN into our own scripts
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	go test ./internal/sqllogic -run SQLLogic/own -count 1 -sqllogic.dsn $(PG_DSN) -sqllogic.rewrite

isolation-verify: ## the scenarios of concurrent sessions on the PostgreSQL server at PG_DSN: are the expectations right?
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	go test ./internal/isolation -run Isolation -count 1 -v -isolation.dsn $(PG_DSN)

isolation-rewrite: ## write what the PostgreSQL server at PG_DSN does in the scenarios beside them
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	go test ./internal/isolation -run Isolation -count 1 -isolation.dsn $(PG_DSN) -isolation.rewrite

isolation-random: ## N random scenarios of statements that wait for row locks, from SEED on, here and on the PostgreSQL server at PG_DSN
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	go test ./internal/isolation -run RandomRechecks -count 1 -v -timeout 2h -isolation.dsn $(PG_DSN) -isolation.random $(N) -isolation.seed $(SEED)

large-transaction: ## LARGE_ROWS rows changed in one transaction: times and the server's memory
	go test ./internal/killtest -run LargeTransaction -count 1 -v -timeout 1h -large.rows $(LARGE_ROWS)

ddl-audit: ## every kind of DDL rolled back, committed, prepared and restarted, compared with the PostgreSQL server at PG_DSN
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	go test . -run 'TransactionalDDL|NotInTransaction' -count 1 -v -timeout 20m -isolation.dsn $(PG_DSN)

introspection: ## what clients ask of the catalogs, with 1,000 tables: the slowest questions and those over 5 ms
	go test ./sql/syscat -run TestIntrospectionBudget -v -count=1 -syscat.budget 5ms -syscat.tables 1000

bench: build ## ./omendb-bench beside ./omendb, for `./omendb bench index` and `./omendb bench store`
	go build -C cmd/omendb-bench -o ../../omendb-bench

BENCH_ROUNDS ?= 9
BENCH_WORK ?=

bench-wire: build ## statements through the wire beside PostgreSQL 15, BENCH_ROUNDS alternating rounds; BENCH_WORK picks by name
	go build -C cmd/omendb-bench -o ../../omendb-bench
	./omendb-bench wire -omendb ./omendb -rounds $(BENCH_ROUNDS) -only "$(BENCH_WORK)"

LARGE_TABLE_ROWS ?= 50000000

large-table: build ## LARGE_TABLE_ROWS rows of 100 bytes through COPY into a server, read through psql: answers, times, memory and disk
	go build -C cmd/omendb-bench -o ../../omendb-bench
	./omendb-bench large -omendb ./omendb -rows $(LARGE_TABLE_ROWS)

bench-commit: build ## short durable transactions at 1 to 64 connections beside PostgreSQL 15; BENCH_WORK picks by name
	go build -C cmd/omendb-bench -o ../../omendb-bench
	./omendb-bench commit -omendb ./omendb -rounds $(BENCH_ROUNDS) -only "$(BENCH_WORK)"

HISTORY_TRANSACTIONS ?= 1000000
HISTORY_KILLS ?= 30
HISTORY_SECONDS ?= 60
LARGE_ROWS ?= 10000000

history: ## random histories: HISTORY_TRANSACTIONS transactions at each level, looked through for anomalies
	go test ./internal/history -run 'Append|Bank|Keys|Registers' -count 1 -v -timeout 3h -history.transactions $(HISTORY_TRANSACTIONS)

history-kill: ## random histories on a server process that is killed HISTORY_KILLS times
	go test ./internal/history -run Kill -count 1 -v -timeout 1h -history.kills $(HISTORY_KILLS)

history-failures: ## serialization failures and how many were needless, here and, with PG_DSN, on PostgreSQL: HISTORY_SECONDS each
	go test ./internal/history -run Failures -count 1 -v -timeout 1h -history.failures $(HISTORY_SECONDS)s -history.dsn "$(PG_DSN)"

pg: ## a PostgreSQL 15 to compare with, from the Debian package; prints its URI
	testdata/clients/postgres.sh

N ?= 100000
SEED ?= 1
pg-diff: ## N random statements on the PostgreSQL server at PG_DSN and on OmenDB: do they answer the same? (SEED, or ROUND=… of a failure; more URIs, more at once)
	@test -n "$(PG_DSN)" || { echo "set PG_DSN to what make pg prints"; exit 2; }
	go run ./internal/pgdiff $(foreach d,$(PG_DSN),-dsn $(d)) -n $(N) -seed $(SEED) $(if $(ROUND),-round $(ROUND))

BENCH_DIR ?= /tmp/omendb-bench
BENCH_FLAGS ?=
BENCH_PG = PG_DIR=$(BENCH_DIR)/postgres PG_PORT=54330 PG_CONF=cmd/omendb-bench/postgresql.conf testdata/clients/postgres.sh

bench-sql: ## analytic queries over 1 M rows, merged and dirty, beside a tuned PostgreSQL 15 that it starts: BENCH_FLAGS="--only join --rounds 15"
	@mkdir -p $(BENCH_DIR)/sql && go build -o $(BENCH_DIR)/omendb ./cmd/omendb && go build -C cmd/omendb-bench -o $(BENCH_DIR)/omendb-bench
	$(BENCH_DIR)/omendb-bench sql --pg $$($(BENCH_PG) | tail -1) --omendb $(BENCH_DIR)/omendb --dir $(BENCH_DIR)/sql $(BENCH_FLAGS)

SCALE ?= 0.1
bench-tpch: ## the 22 queries of TPC-H at SCALE beside the same PostgreSQL
	@mkdir -p $(BENCH_DIR)/tpch && go build -o $(BENCH_DIR)/omendb ./cmd/omendb && go build -C cmd/omendb-bench -o $(BENCH_DIR)/omendb-bench
	$(BENCH_DIR)/omendb-bench tpch --pg $$($(BENCH_PG) | tail -1) --omendb $(BENCH_DIR)/omendb --dir $(BENCH_DIR)/tpch --scale $(SCALE) $(BENCH_FLAGS)

pgregress: ## PostgreSQL's regression scripts below PGREGRESS_DIR through psql, figures by script
	go run ./internal/pgregress -dir $(PGREGRESS_DIR) -trend docs/pgregress.md -compat docs/compatibility.md

kill: ## kill the server KILL_CYCLES times and look for what it acknowledged
	go test ./internal/killtest -run Kill -v -timeout 0 -kill.cycles $(KILL_CYCLES)

torture: ## simulated power failures and faults at every operation, as CI counts them
	go test ./internal/simulation -v -count 1 -timeout 10m -sim.crashes 20000

torture-long: ## ten million simulated power failures: days
	go test ./internal/simulation -run CrashAnywhere -v -count 1 -timeout 0 -sim.crashes 10000000

torture-sql: ## a thousand simulated power failures and more under random SQL
	go test ./internal/sqlsim -run SQLCrash -v -count 1 -timeout 0 -sqlsim.crashes 2000

fuzz: ## all fuzz targets, FUZZ_SECONDS (10 minutes) each
	fuzz/smoke $(FUZZ_SECONDS)

race: ## the concurrent packages under the race detector
	.ci/run race

coverage: ## statement coverage by package, with the floors
	.ci/run coverage

clients: ## real clients on OmenDB beside the PostgreSQL server at PG_DSN (a postgres:// address); writes docs/clients.md
	@test -n "$(PG_DSN)" || { echo "set PG_DSN=postgres://user@host:port/postgres"; exit 2; }
	testdata/clients/run.sh -docs docs/clients.md $(PG_DSN)

client-suites: ## the own tests of pgx and lib/pq on the server at OMENDB_URI (and at PG_DSN, if set), against the stored lists
	@test -n "$(OMENDB_URI)" || { echo "set OMENDB_URI=postgres://user:password@host:port/postgres"; exit 2; }
	testdata/clients/suites.sh $(OMENDB_URI) $(PG_DSN)
