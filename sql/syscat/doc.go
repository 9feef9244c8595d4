// Package syscat is the system catalogs: the tables and views of pg_catalog and
// information_schema, computed from the catalog's descriptors, and the
// functions that describe objects (pg_get_indexdef, format_type,
// has_table_privilege …).
//
//	Relations   the relations that every database has, for catalog.Options.System
//	World       what the describing functions look at: the session's view of the catalog
//	Functions   functions.Catalog over a World
//	Names       types.NameSource over a World: regclass and its kin
//
// A table's rows come from two places: facts that PostgreSQL's initdb writes
// (data/*.tsv and functions.Facts: the catalogs' own rows, built-in functions
// and types), read at first use and indexed by whatever column is asked for,
// and rows made from descriptors, which are looked up by key where the query
// restricts one. System views are PostgreSQL's own view queries, bound at
// first use. Columns, types, OIDs and order are PostgreSQL 15's.
package syscat
