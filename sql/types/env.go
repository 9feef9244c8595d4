package types

import "github.com/omendb/omendb/sql/charset"

// DateStyle is how dates are printed.
type DateStyle uint8

// The date styles.
const (
	DateISO DateStyle = iota
	DateSQL
	DatePostgres
	DateGerman
)

// DateOrder is how ambiguous dates are read and, in some styles, printed.
type DateOrder uint8

// The field orders.
const (
	OrderMDY DateOrder = iota
	OrderDMY
	OrderYMD
)

// IntervalStyle is how intervals are printed.
type IntervalStyle uint8

// The interval styles.
const (
	IntervalPostgres IntervalStyle = iota
	IntervalPostgresVerbose
	IntervalSQLStandard
	IntervalISO8601
)

// ByteaOutput is how bytea is printed.
type ByteaOutput uint8

// The bytea formats.
const (
	ByteaHex ByteaOutput = iota
	ByteaEscape
)

// Env is everything a session can set or know that input, output and operators
// depend on. lc_monetary and the other locale settings are fixed to "C".
// A nil *Env serves for everything that depends on none of it and on built-in types only.
type Env struct {
	DateStyle        DateStyle
	DateOrder        DateOrder
	IntervalStyle    IntervalStyle
	TimeZone         *Zone // nil is UTC
	ExtraFloatDigits int
	ByteaOutput      ByteaOutput
	QuoteAll         bool            // quote_all_identifiers: names are quoted, need it or not
	Now              int64           // start of the transaction, as timestamptz
	NowRead          *bool           // where somebody wants to know, set when a value such as 'today' is read, which depends on Now
	StatementNow     int64           // start of the statement, as timestamptz
	ClockNow         func() int64    // the present moment, as timestamptz
	Types            TypeSource      // user-defined types; may be nil
	Names            NameSource      // catalog names; may be nil
	CollationSource  CollationSource // user-defined collations; may be nil
	// Domain tests a part of an array, row or range that was read against the constraints of its domain; may be nil.
	Domain func(domain OID, d Datum) error
	// Client is the encoding of text in binary form, nil: UTF-8. Untranslatable is the first error of Send since somebody
	// cleared it: a character that the client's encoding has not.
	Client         *charset.Encoding
	Untranslatable error
}

// NewEnv returns the settings of a fresh server: ISO dates in MDY order, UTC,
// postgres intervals, shortest-precise floats, hex bytea.
func NewEnv() *Env {
	return &Env{ExtraFloatDigits: 1, TimeZone: UTC}
}

// zone returns the session's time zone.
func (e *Env) zone() *Zone {
	if e == nil || e.TimeZone == nil {
		return UTC
	}
	return e.TimeZone
}
