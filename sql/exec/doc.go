// Package exec runs planned statements: it turns a tree of plan nodes into a
// tree of operators that pass column batches upwards, and computes bound
// expressions on them.
//
//	plan.Statement ──Run──▶ Rows ──Next──▶ column.Batch …
//	plan.Utility ──RunUtility──▶ Result
//	plan.Copy ──PrepareCopy──▶ CopyJob ──In, Out──▶ rows
//
// The types:
//
//	Runtime    one execution: transaction, snapshot, parameters, limits, knobs
//	Rows       the running statement: batches, affected rows, figures for EXPLAIN
//	Result     what a utility statement yields
//	Binder     what the executor asks of the binder while it runs
//	CopyJob    a COPY whose data the session streams
//	Deferred   what a transaction checks when it commits
//
// Operators hand out batches that they own; a batch is valid until the next
// call of the same operator and is never written by its reader. An operator can
// be opened again (rescanned) at any time; one that keeps its input's rows
// reads its input again only when an executor parameter that it uses changed.
//
// Expressions are compiled once per execution. Each can be computed for the
// selected rows of a batch (vec) and for one row (row); both give the same
// answer and raise an error for the same rows, because conditional expressions
// narrow the selection before they compute their branches.
package exec
