// Package functions holds PostgreSQL's functions, operators, casts and
// aggregates: the catalog facts as embedded tables, the resolution of
// overloads, and the implementations, attached by OID.
package functions

// OID identifies a function, an operator or a type.
type OID = uint32

// Func is one function, procedure, aggregate or window function: a row of
// pg_proc, built-in or user-defined.
type Func struct {
	OID    OID
	Name   string
	Schema OID
	Kind   byte // 'f' function, 'a' aggregate, 'w' window function, 'p' procedure

	Args     []OID    // input arguments
	AllArgs  []OID    // all arguments when some are OUT, else nil
	Modes    []byte   // with AllArgs: 'i', 'o', 'b', 'v', 't'
	Names    []string // argument names, nil if none
	Defaults int      // the last Defaults input arguments may be left out
	Variadic OID      // element type of the variadic argument, 0 if none
	Ret      OID
	RetSet   bool
	Volatile byte // 'i', 's' or 'v'
	Strict   bool
	Src      string // pg_proc.prosrc
	Cost     float32
	Rows     float32
}
