// Package planner turns parse trees into plans: Bind resolves names and types
// (bind*.go), Plan rewrites, costs and chooses (rule_*.go and its neighbours),
// and deparse*.go writes bound trees back as SQL.
//
// The types:
//
//	Env      the world of one statement: catalog, search path, settings
//	Bound    what Bind makes of a statement: a query or a utility statement
//	Catalog  what the binder asks of the catalog
//
// The binder follows PostgreSQL's parse analysis rule by rule, so that types,
// coercions, error messages and their positions are PostgreSQL's. It is the only
// reader of the parser's trees; nothing behind it knows their form.
package planner
