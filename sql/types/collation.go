package types

import (
	"bytes"
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
	"github.com/omendb/omendb/sql/pgerr"
)

// The OIDs of collations that always exist. The default collation is C.
const (
	DefaultCollation OID = 100
	CCollation       OID = 950
	POSIXCollation   OID = 951
)

// COrdering asks for the order of bytes, whatever the default is.
const COrdering = CCollation

// Collation is one row of pg_collation. Locale is "" or a C locale for the order of
// bytes, else a language for golang.org/x/text/collate, whose order is that of the Unicode
// collation algorithm; two texts that it cannot tell apart are ordered by their bytes.
type Collation struct {
	OID           OID
	Name          string
	Provider      byte // 'd' default, 'c' libc, 'i' ICU
	Deterministic bool
	Encoding      int32
	Collate       string
	CType         string
	ICULocale     string
	Version       string
}

// CollationSource finds user-defined collations.
type CollationSource interface {
	// CollationByOID returns nil when there is none.
	CollationByOID(oid OID) *Collation
}

//go:embed data/pg_collation.tsv
var collationFacts string

// builtinCollations are the collations of pg_collation by OID.
var builtinCollations = sync.OnceValue(func() map[OID]*Collation {
	m := make(map[OID]*Collation, 900)
	for _, c := range parseCollations() {
		m[c.OID] = c
	}
	return m
})

func parseCollations() []*Collation {
	var all []*Collation
	for line := range strings.Lines(collationFacts) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		oid, err1 := strconv.ParseUint(f[0], 10, 32)
		encoding, err2 := strconv.ParseInt(f[4], 10, 32)
		if err1 != nil || err2 != nil {
			panic("pg_collation facts: " + line)
		}
		all = append(all, &Collation{OID: OID(oid), Name: f[1], Provider: f[2][0], Deterministic: f[3] == "1",
			Encoding: int32(encoding), Collate: f[5], CType: f[6], ICULocale: f[7], Version: f[8]})
	}
	return all
}

// Collations returns the built-in collations by ascending OID.
func Collations() []*Collation { return parseCollations() }

// Collation returns a built-in or user-defined collation, nil when there is none.
func (e *Env) Collation(oid OID) *Collation {
	if c := builtinCollations()[oid]; c != nil {
		return c
	}
	if e != nil && e.CollationSource != nil {
		return e.CollationSource.CollationByOID(oid)
	}
	return nil
}

// Locale returns the language whose rules the collation follows, "" for the order of bytes.
func (c *Collation) Locale() string {
	locale := c.ICULocale
	if c.Provider != 'i' {
		locale, _, _ = strings.Cut(c.Collate, ".")
		locale, _, _ = strings.Cut(locale, "@")
	}
	if locale == "C" || locale == "POSIX" {
		return ""
	}
	return locale
}

// CheckLocale returns an error when there are no rules for a locale, as CREATE COLLATION gives it.
func CheckLocale(locale string) error {
	if locale == "" || locale == "C" || locale == "POSIX" {
		return nil
	}
	if _, err := language.Parse(languageTag(locale)); err != nil {
		return pgerr.New(pgerr.InvalidParameterValue, "could not create locale \"%s\": No such file or directory", locale)
	}
	return nil
}

// languageTag turns en_US into the BCP 47 tag en-US.
func languageTag(locale string) string { return strings.ReplaceAll(locale, "_", "-") }

// isByteOrder reports whether a collation is the order of bytes, without a look at the facts
// for the usual ones.
func isByteOrder(coll OID) bool {
	return coll == 0 || coll == DefaultCollation || coll == CCollation || coll == POSIXCollation
}

// OrdersBytes reports whether text compares under a collation as its bytes do.
func (e *Env) OrdersBytes(coll OID) bool {
	if isByteOrder(coll) {
		return true
	}
	c := e.Collation(coll)
	return c == nil || c.Locale() == ""
}

// EqualsBytes reports whether text that is equal under a collation has the same bytes.
func (e *Env) EqualsBytes(coll OID) bool {
	if isByteOrder(coll) {
		return true
	}
	c := e.Collation(coll)
	return c == nil || c.Locale() == "" || c.Deterministic
}

// collatedOrder returns the order of text under a collation.
func collatedOrder(e *Env, coll OID, blankPadded bool) *order {
	plain := bytesOrder
	if blankPadded {
		plain = bpcharOrder
	}
	if e.ComparesBytes(coll) {
		return plain
	}
	c := e.Collation(coll)
	return newCollator(c.Locale(), c.Deterministic).order(blankPadded)
}

// ComparesBytes reports whether a collation orders text by its bytes.
func (e *Env) ComparesBytes(coll OID) bool {
	if isByteOrder(coll) {
		return true
	}
	c := e.Collation(coll)
	return c == nil || c.Locale() == ""
}

// collator compares text by the rules of a language. The library's collators keep state and
// are pooled.
type collator struct {
	pool          *sync.Pool
	deterministic bool
}

// collatorPools holds a pool for each locale in use; locales come from pg_collation, so
// there are few. The Unicode tables behind a collator take long to open.
var collatorPools sync.Map

func newCollator(locale string, deterministic bool) collator {
	tag, err := language.Parse(languageTag(locale))
	if err != nil {
		tag = language.Und
	}
	if p, ok := collatorPools.Load(tag); ok {
		return collator{p.(*sync.Pool), deterministic}
	}
	p, _ := collatorPools.LoadOrStore(tag, &sync.Pool{New: func() any { return collate.New(tag) }})
	return collator{p.(*sync.Pool), deterministic}
}

func (c collator) compare(a, b []byte) int {
	col := c.pool.Get().(*collate.Collator)
	r := col.Compare(a, b)
	c.pool.Put(col)
	if r == 0 && c.deterministic {
		return bytes.Compare(a, b)
	}
	return r
}

// key is the sort key of the text and, to tell texts of one sort key apart, the text.
func (c collator) key(b []byte) []byte {
	col := c.pool.Get().(*collate.Collator)
	defer c.pool.Put(col)
	var buf collate.Buffer
	k := keys.AppendBytes(nil, col.Key(&buf, b), keys.NotNull)
	if c.deterministic {
		k = append(k, b...)
	}
	return k
}

func (c collator) order(blankPadded bool) *order {
	text := func(d Datum) []byte { return d.B }
	if blankPadded {
		text = func(d Datum) []byte { return trimBlanks(d.B) }
	}
	return &order{
		compare: func(a, b Datum) int { return c.compare(text(a), text(b)) },
		hash: func(d Datum) uint64 {
			if c.deterministic {
				return HashBytes(text(d))
			}
			return HashBytes(c.key(text(d)))
		},
		keyKind: column.Bytes,
		key:     func(d Datum) Datum { return bytesDatum(c.key(text(d))) },
	}
}
