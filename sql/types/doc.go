// Package types knows every PostgreSQL type: its facts (pg_type), its physical
// form, its text and binary formats, its order, its hash and its order-preserving
// key. It knows no tables and no functions; what user-defined types need comes in
// through the interfaces in Env.
//
// The types:
//
//	OID         the identity of a type, PostgreSQL's own numbers for built-in ones
//	Type        one row of pg_type
//	Env         the session's view: date style, time zone, clock, user-defined types
//	Datum       a value (column.Datum); its form follows from the type
//	Numeric, Interval, Array, Record, Zone   decoded forms to compute with
//
// Physical forms, the contract with storage and executor:
//
//	Int kind    bool 0/1 · "char" 0..255 · int2/4/8 · oid, xid, cid, reg* unsigned ·
//	            xid8 as the bits of a uint64 · date in days since 2000-01-01 ·
//	            time, timestamp, timestamptz in µs (timestamps since 2000-01-01) ·
//	            money in cents · enum as the oid of its label
//	Float kind  float8 · float4 rounded to float32
//	Bytes kind  text, varchar, bpchar (blank-padded), name, json, cstring: the text in UTF-8
//	            bytea: the bytes                     uuid: 16 bytes
//	            numeric: see numeric.go              interval: µs, days, months (8+4+4 bytes)
//	            timetz: µs, zone seconds west (8+4)  bit, varbit: bit count (4), bits
//	            jsonb: see jsonb.go                  arrays, vectors: see array.go
//	            rows: see record.go                  geometric: float8s; see geometric.go
//	            tid: 4+2 bytes · pg_lsn: 8 bytes · inet, cidr: see network.go · macaddr: 6 or 8
//	            domains: the form of their base type
//
// All multi-byte integers inside Bytes forms are big-endian. Dates and timestamps
// use PostgreSQL's sentinels for ±infinity (the extreme values of int32 and int64).
//
// Values that reach this package are of the type that the caller says they are;
// anything a user can send (text, wire bytes) is checked and refused with an
// SQLSTATE and PostgreSQL's message.
package types
