package catalog

import (
	"slices"
	"strings"
)

// Retention is how long a table keeps its rows: those whose column lies
// further back than TTL are removed.
type Retention struct {
	TTL    string // an interval, as written
	Column string
}

// The reloptions that hold a table's retention.
const (
	RetentionTTL    = "omen.ttl"
	RetentionColumn = "omen.ttl_column"
)

// Retention returns the table's retention, false if it keeps rows for ever. An
// option that is missing is empty: such a table is never stored.
func (r *Relation) Retention() (Retention, bool) {
	var keep Retention
	for _, o := range r.Options {
		switch name, value, _ := strings.Cut(o, "="); name {
		case RetentionTTL:
			keep.TTL = value
		case RetentionColumn:
			keep.Column = value
		}
	}
	return keep, keep != Retention{}
}

// RetentionNumber returns the number of the attribute by which rows expire, 0 if none do.
func (r *Relation) RetentionNumber() int16 {
	if keep, ok := r.Retention(); ok {
		for i := range r.Columns {
			if c := &r.Columns[i]; !c.Dropped && c.Name == keep.Column {
				return c.Num
			}
		}
	}
	return 0
}

// SetRetentionColumn names the retention's column anew.
func (r *Relation) SetRetentionColumn(name string) {
	r.Options = slices.Clone(r.Options)
	for i, o := range r.Options {
		if strings.HasPrefix(o, RetentionColumn+"=") {
			r.Options[i] = RetentionColumn + "=" + name
		}
	}
}
