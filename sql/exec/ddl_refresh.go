package exec

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

// maxCompared bounds how many different rows REFRESH … CONCURRENTLY compares, at about 50 bytes
// each. A larger view is not compared: all of its rows are replaced, which readers cannot tell.
const maxCompared = 2 << 20

// refresher changes the rows of a materialized view into those that its query returns, as
// DELETE and INSERT would: readers go on with what they see.
type refresher struct {
	d     *ddl
	rel   *catalog.Relation
	st    *state
	w     *tableWriter
	rows  *tupleStore
	count map[rowDigest]rowCount // nil: there are too many
	vals  []column.Datum
	buf   []byte
}

type rowDigest [16]byte

// rowCount is how often a row is in the result, and how often it was in the view as well.
type rowCount struct{ fresh, kept int32 }

func (d *ddl) refreshConcurrently(rel *catalog.Relation, q *plan.Query) error {
	source, err := d.planRows(rel, q)
	if err != nil {
		return err
	}
	r := &refresher{d: d, rel: rel, st: newState(d.rt, &plan.Statement{}), count: map[rowDigest]rowCount{}, vals: make([]column.Datum, len(rel.Columns))}
	if r.w, err = r.st.writer(rel); err != nil {
		return err
	}
	r.rows = r.st.newTupleStore(r.w.kinds)
	defer r.rows.close()
	if err := r.read(source); err != nil {
		return err
	}
	if err := d.eachBatch(rel, r.remove); err != nil {
		return MapError(err)
	}
	d.step()
	return MapError(r.insert())
}

// read runs the query.
func (r *refresher) read(source *plan.Statement) error {
	rows, err := Run(r.d.rt, source)
	if err != nil {
		return err
	}
	defer rows.Close()
	var b column.Batch
	for {
		more, err := rows.Next(&b)
		if err != nil || !more {
			return err
		}
		for i := range b.Len() {
			if err := r.note(&b, b.Row(i)); err != nil {
				return err
			}
		}
		if err := r.rows.add(&b); err != nil {
			return err
		}
	}
}

func (r *refresher) note(b *column.Batch, at int) error {
	if r.count == nil {
		return nil
	}
	key, null := r.digest(b, at)
	c := r.count[key]
	if c.fresh > 0 && !null {
		return pgerr.New(pgerr.CardinalityViolation, "new data for materialized view \"%s\" contains duplicate rows without any null columns", r.rel.Name).
			WithDetail("Row: %s", r.w.rowText(r.vals))
	}
	c.fresh++
	r.count[key] = c
	if len(r.count) > maxCompared {
		r.count = nil
	}
	return nil
}

// digest loads a row and returns what stands for it, and whether something in it is NULL.
func (r *refresher) digest(b *column.Batch, at int) (key rowDigest, null bool) {
	r.buf = r.buf[:0]
	for c := range r.vals {
		v := b.Cols[c].Datum(at)
		r.vals[c] = v
		if v.Null {
			null = true
			r.buf = append(r.buf, 0)
			continue
		}
		r.buf = binary.LittleEndian.AppendUint64(append(r.buf, 1), uint64(v.I))
		r.buf = append(binary.AppendUvarint(r.buf, uint64(len(v.B))), v.B...)
	}
	sum := sha256.Sum256(r.buf)
	return rowDigest(sum[:16]), null
}

// remove deletes those rows of the view that the query does not return any more.
func (r *refresher) remove(rows *column.Batch, keys [][]byte) error {
	for i := range rows.Len() {
		key, _ := r.digest(rows, rows.Row(i))
		if c, ok := r.count[key]; ok && c.kept < c.fresh {
			c.kept++
			r.count[key] = c
			continue
		}
		if _, err := r.d.rt.Txn.Lock(r.d.ctx, r.w.store, keys[i], engine.Update, engine.Wait, nil); err != nil {
			return err
		}
		if err := r.w.delete(keys[i], r.vals); err != nil {
			return err
		}
	}
	return nil
}

// insert adds the rows of the result that the view did not have.
func (r *refresher) insert() error {
	for rows := r.rows.reader(); ; {
		b, err := rows.read()
		if err != nil || b == nil {
			return err
		}
		for i := range b.Len() {
			key, _ := r.digest(b, b.Row(i))
			if c := r.count[key]; c.kept > 0 {
				c.kept--
				r.count[key] = c
				continue
			}
			if _, err := r.w.insert(r.vals); err != nil {
				return err
			}
		}
		if err := r.d.rt.canceled(); err != nil {
			return err
		}
	}
}
