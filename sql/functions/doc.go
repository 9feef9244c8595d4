// Package functions holds PostgreSQL's built-in functions, operators, casts,
// aggregates and access-method facts, and the code that computes them.
//
// Facts and code are kept apart. The facts are the rows of pg_proc, pg_operator,
// pg_cast, pg_aggregate and their kin, taken from PostgreSQL 15 and embedded as
// TSV under data/ (internal/extract regenerates them from a server). The code is a set of
// Go tables keyed like PostgreSQL's own: by prosrc, the C symbol, for internal
// functions, and by signature for aggregates and SQL-language functions. A fact
// without code is a function that exists and can be described; calling it is an
// honest 0A000 (Func.Implemented tells beforehand).
//
// The types:
//
//	Func       one function: facts of pg_proc, and how to compute it
//	Aggregate  how to compute an aggregate over many groups at once
//	Operator   one row of pg_operator
//	CastInfo   one row of pg_cast
//	Ctx        one call site: types, session, catalog, memo
//	Call, Resolution   overload resolution, as PostgreSQL's parser does it
//
// Calling conventions. A strict function is never called with a NULL argument:
// its caller answers NULL itself. A vector kernel (Func.Vec) looks at NULLs
// itself and gives exactly what Eval would give row by row. Results may share
// bytes with arguments. Everything here is immutable after the first use and
// safe for many sessions at once; whatever changes lives in Ctx.
package functions

//go:generate go run ./internal/extract -dsn postgres://postgres@127.0.0.1:5432/postgres -dir data
