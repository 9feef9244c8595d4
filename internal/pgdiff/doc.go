// Command pgdiff runs random statements on OmenDB and on PostgreSQL 15 and compares what they answer.
//
//	go run ./internal/pgdiff -n 10000 -seed 1 -dsn "host=127.0.0.1 port=5432 user=postgres dbname=pgdiff"
//
// Work goes in rounds. A round has a seed of its own, from which its tables, settings and statements follow (package gen),
// so `-round SEED` plays it again. Rows are compared as printed, as multisets unless the statement orders them totally;
// column names, type OIDs, command tags and SQLSTATEs are compared too, and the whole table after a statement that changes
// it. Each statement ends in one class:
//
//	equal        the same rows
//	error        the same SQLSTATE
//	sqlstate     another SQLSTATE, or an error on one side only
//	unsupported  0A000 from OmenDB alone
//	skipped      a limit of time or memory was met on a side
//	wrong        other rows, columns or tags; XX000; a broken connection
//
// What fails is made smaller while it fails in the same way, and printed as a script. The database must have C as its
// collation; the schema pgdiff in it is dropped and made anew.
//
// The tests of this package need no PostgreSQL: they compare OmenDB with itself, with the condition of a query taken apart
// (ternary logic partitioning), with the condition moved to where no optimiser sees it (NoREC), and under other settings of
// planner and executor.
package main
