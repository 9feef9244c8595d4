// Package parser turns SQL text into PostgreSQL's parse tree.
//
// The grammar is PostgreSQL's own (libpg_query: in C with cgo, as WebAssembly
// without). It is written for texts that a trusted process bounds, so our own
// scanner reads every text first and refuses what would hurt it: NUL, bytes
// that are not UTF-8, and trees so deep that recursion over them would run out
// of stack. What passes is handed over; no text may end the process.
//
// The types:
//
//	Statement  one parsed statement with its place in the query string
//	Scanner    PostgreSQL's lexical rules: strings, comments, operators, …
//	Literal    a constant that Lift took out of a text, for the plan cache
//
// Positions in the tree are byte offsets in the whole query string. Errors are
// *pgerr.Error with PostgreSQL's message and a position that counts characters
// from 1.
package parser
