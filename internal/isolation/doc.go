// Package isolation runs scenarios of concurrent sessions in the format of
// PostgreSQL's isolation tester, on any server, and writes what happened in
// the tester's form: which step waited, what it returned, how it failed.
//
// A scenario (testdata/isolation/*.spec) looks like this:
//
//	setup    { CREATE TABLE t (a int); }
//	teardown { DROP TABLE t; }
//	session s1
//	setup    { BEGIN; }
//	step s1w { UPDATE t SET a = 1; }
//	step s1c { COMMIT; }
//	session s2
//	step s2w { UPDATE t SET a = 2; }
//	permutation s1w s2w s1c
//
// Without permutations every interleaving that keeps the order inside the
// sessions is run. A step of a permutation may carry markers: s2w(*) is
// reported as waiting at once, s2w(s1c) is not reported complete before s1c is.
//
// The types:
//
//	Spec    a parsed scenario
//	Target  a server that gives every scenario a database of its own
//	Runner  runs a scenario and writes its result
//
// Beside each scenario stands its result on PostgreSQL 15 (*.out), which
// `make isolation-verify` compares with a running PostgreSQL.
package isolation
