package exec

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// duplicate is a unique key that is taken already.
type duplicate struct {
	user  *pgerr.Error
	index *catalog.Index
	row   []column.Datum // what is stored under the key
	own   bool
	table bool // the key is the storage key; row is the table's row
}

// Error implements error.
func (d *duplicate) Error() string { return d.user.Error() }

// Unwrap makes the user's error visible to errors.As.
func (d *duplicate) Unwrap() error { return d.user }

// rowText prints a row as in "Failing row contains (...)": long values are cut.
func (w *tableWriter) rowText(vals []column.Datum) string {
	const most = 64
	var parts []string
	for i := range w.rel.Columns {
		c := &w.rel.Columns[i]
		if c.Dropped {
			continue
		}
		s := w.st.text(c.Type, vals[i])
		if len(s) > most {
			cut := most
			for cut > 0 && !utf8.RuneStart(s[cut]) {
				cut--
			}
			s = s[:cut] + "..."
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

// text prints a value for a message.
func (st *state) text(typ OID, d column.Datum) string {
	if d.Null {
		return "null"
	}
	return string(st.env.Out(nil, typ, d))
}

func (w *tableWriter) schema() string { return w.st.rt.Catalog.SchemaName(w.rel.Schema) }

func (w *tableWriter) notNull(c *catalog.Column, vals []column.Datum) error {
	return pgerr.New(pgerr.NotNullViolation, "null value in column \"%s\" of relation \"%s\" violates not-null constraint", c.Name, w.rel.Name).
		WithDetail("Failing row contains (%s).", w.rowText(vals)).
		WithTable(w.schema(), w.rel.Name).WithColumn(c.Name)
}

func (w *tableWriter) checkViolation(name string, vals []column.Datum) error {
	return pgerr.New(pgerr.CheckViolation, "new row for relation \"%s\" violates check constraint \"%s\"", w.rel.Name, name).
		WithDetail("Failing row contains (%s).", w.rowText(vals)).
		WithTable(w.schema(), w.rel.Name).WithConstraint(name)
}

// taken turns the engine's report of a taken storage key into a duplicate.
func (w *tableWriter) taken(err error, ix *catalog.Index, parts []keyPart, vals []column.Datum) error {
	var exists *engine.KeyExistsError
	if !errors.As(err, &exists) {
		return err
	}
	if err := w.overtaken(exists); err != nil {
		return err
	}
	names, values := make([]string, len(parts)), make([]string, len(parts))
	for i, p := range parts {
		names[i], values[i] = types.QuoteIdent(w.rel.Columns[p.attr].Name), w.st.text(p.typ, vals[p.attr])
	}
	name := w.rel.Name + "_pkey"
	if ix != nil {
		name = ix.Name
	}
	return &duplicate{user: w.uniqueViolation(name, names, values), index: ix, row: exists.Row, own: exists.Own, table: true}
}

// takenBy does the same for a secondary index.
func (w *tableWriter) takenBy(err error, ix *indexWriter, vals []column.Datum) error {
	var exists *engine.KeyExistsError
	if !errors.As(err, &exists) {
		return err
	}
	if err := w.overtaken(exists); err != nil {
		return err
	}
	names, values, verr := ix.keyTexts(w, vals)
	if verr != nil {
		return verr
	}
	return &duplicate{user: w.uniqueViolation(ix.ix.Name, names, values), index: ix.ix, row: exists.Row, own: exists.Own}
}

// overtaken reports a duplicate as a serialization failure to a transaction
// that has seen the key free.
func (w *tableWriter) overtaken(exists *engine.KeyExistsError) error {
	if w.arbitrated {
		return nil
	}
	return w.st.rt.Txn.NoteViolation(exists)
}

// keyTexts names the parts of an index's key and prints a row's values of them.
func (w *indexWriter) keyTexts(t *tableWriter, vals []column.Datum) (names, values []string, err error) {
	names, values = make([]string, len(w.parts)), make([]string, len(w.parts))
	for i, p := range w.parts {
		d, err := w.value(i, vals)
		if err != nil {
			return nil, nil, err
		}
		values[i] = t.st.text(p.typ, d)
		if p.attr >= 0 {
			names[i] = types.QuoteIdent(t.rel.Columns[p.attr].Name)
		} else {
			names[i] = keyName(t.st.rt, t.rel, &w.ix.Keys[i])
		}
	}
	return names, values, nil
}

func (w *tableWriter) uniqueViolation(constraint string, names, values []string) *pgerr.Error {
	return pgerr.New(pgerr.UniqueViolation, "duplicate key value violates unique constraint \"%s\"", constraint).
		WithDetail("Key (%s)=(%s) already exists.", strings.Join(names, ", "), strings.Join(values, ", ")).
		WithTable(w.schema(), w.rel.Name).WithConstraint(constraint)
}
