package sql

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/types"
)

// A query of one row by its key takes a short way through the session: after it
// has run once in the ordinary way, Bind and Execute use what that run found
// out, as long as nothing has changed that it depends on. Outside of a
// transaction block there is no transaction then: the row is read from the
// newest committed state, under the table's lock, which is kept until Sync.
// Whatever is not usual (an error, a row limit, a timeout, a lock to wait for)
// goes the ordinary way. omen.fast_path = off switches all of it off.

// point is what a statement's run by the ordinary way found out.
type point struct {
	key     pointKey
	read    *exec.Point
	table   catalog.OID
	params  []types.OID
	cols    []Column
	formats []int16 // for which cols were described
}

// pointKey is all that a point depends on; none of it changes but as a whole.
type pointKey struct {
	catalog  *catalog.Snapshot
	settings uint64
	user     catalog.OID
}

// pointPortal is the unnamed portal of a point.
type pointPortal struct {
	live   bool
	done   bool // its row was delivered
	stmt   *statement
	point  *point
	params []column.Datum
	bytes  []byte // of params
	depth  int    // savepoints around it

	reader *engine.Reader
	access exec.Access
	ran    bool // since the last Sync, outside of a transaction
}

// notePoint remembers after a statement's run by the ordinary way that later
// ones may be short.
func (x *Session) notePoint(s *statement) {
	if s == nil || s.bound == nil || s.bound.query == nil || !exec.HasPoint(s.bound.query) {
		return
	}
	key := pointKey{catalog: x.view.Base(), settings: x.values.Version(), user: x.user}
	if s.point != nil && s.point.key == key {
		return
	}
	s.point = x.newPoint(s.bound, key)
}

// newPoint returns the short form of a statement that has run, nil if it has none.
func (x *Session) newPoint(c *compiled, key pointKey) *point {
	q, k := c.query, x.knob()
	if k.exec.NoFastPath || k.exec.RowAtATime || k.timeout > 0 || len(q.Access) != 1 || len(q.Output) == 0 || c.late != nil {
		return nil
	}
	a := &q.Access[0]
	if a.Class == catalog.ClassFunction || a.Table < catalog.FirstUserOID || a.Required != catalog.ACLSelect {
		return nil
	}
	if x.view.Changed() || x.view.TempSchema() != 0 || !x.fresh(c) || x.checkAccess(q.Access) != nil {
		return nil
	}
	for _, oid := range c.params {
		if !pointParameter(oid) {
			return nil
		}
	}
	return &point{key: key, read: exec.PointOf(q), table: a.Table, params: c.params}
}

// pointParameter reports whether a parameter of a type may be read before there
// is a transaction: 'now' as a time needs one, and domains have checks.
func pointParameter(oid types.OID) bool {
	switch oid {
	case types.Int2OID, types.Int4OID, types.Int8OID, types.OIDOID, types.BoolOID, types.Float4OID, types.Float8OID, types.NumericOID,
		types.TextOID, types.VarcharOID, types.BPCharOID, types.NameOID, types.ByteaOID, types.UUIDOID:
		return true
	}
	return false
}

// usable reports whether a point is still what an ordinary run would find out.
func (x *Session) usable(p *point) bool {
	return p != nil && p.key.settings == x.values.Version() && p.key.user == x.user && p.key.catalog == x.srv.opts.Catalog.Version() &&
		x.view.TempSchema() == 0 && x.reason.Load() == nil
}

// lockPoint takes the table's lock, if there is nothing to wait for, and makes
// sure that the point has not aged meanwhile.
func (x *Session) lockPoint(p *point) bool {
	switch {
	case x.txn == nil:
		if x.state != txnIdle || x.knob().txn.Isolation != engine.ReadCommitted {
			return false
		}
		if x.short.reader == nil {
			x.short.reader = x.srv.opts.DB.NewReader(x.pid)
		}
		if !x.short.reader.LockTable(uint64(p.table)) {
			return false
		}
	case x.state == txnFailed || x.view.Changed() || x.txn.Options().Isolation == engine.Serializable:
		return false
	default:
		if x.txn.LockTable(context.Background(), uint64(p.table), engine.LockAccessShare, engine.NoWait) != nil {
			return false
		}
	}
	return p.key.catalog == x.srv.opts.Catalog.Version()
}

// bindPoint is Bind of the unnamed portal where the short way serves; else it
// has done nothing that Bind minds.
func (x *Session) bindPoint(name string, s *statement, formats []int16, values [][]byte, resultFormats []int16) bool {
	p := s.point
	if name != "" || !x.usable(p) || len(values) != len(p.params) || len(formats) > 1 && len(formats) != len(values) {
		return false
	}
	if !x.describePoint(p, s, resultFormats) || !x.pointParams(p, formats, values) || !x.lockPoint(p) {
		return false
	}
	if old := x.portals[""]; old != nil {
		old.close()
		delete(x.portals, "")
	}
	u := &x.short
	u.live, u.done, u.stmt, u.point, u.depth = true, false, s, p, len(x.savepoints)
	return true
}

// describePoint makes the columns in the formats that the client wants.
func (x *Session) describePoint(p *point, s *statement, formats []int16) bool {
	if p.cols != nil && slices.Equal(p.formats, formats) {
		return true
	}
	out := s.bound.query.Output
	if len(formats) > 1 && len(formats) != len(out) {
		return false
	}
	for _, f := range formats {
		if f != 0 && f != 1 {
			return false
		}
	}
	p.cols, p.formats = x.columnsOf(out, formats), slices.Clone(formats)
	return true
}

// pointParams reads parameter values; false where the ordinary way has to tell
// what is wrong with one.
func (x *Session) pointParams(p *point, formats []int16, values [][]byte) bool {
	u := &x.short
	u.params, u.bytes = u.params[:0], u.bytes[:0]
	for i, v := range values {
		d, ok := x.pointParam(p.params[i], formatOf(formats, i), v)
		if !ok {
			return false
		}
		if d.B != nil {
			at := len(u.bytes)
			u.bytes = append(u.bytes, d.B...)
			d.B = u.bytes[at:len(u.bytes):len(u.bytes)]
		}
		u.params = append(u.params, d)
	}
	return true
}

func (x *Session) pointParam(oid types.OID, format int16, v []byte) (d column.Datum, ok bool) {
	var err error
	switch {
	case v == nil:
		return column.Null(), true
	case format == 1 && oid == types.Int8OID && len(v) == 8:
		d.I = int64(binary.BigEndian.Uint64(v))
		return d, true
	case format == 1 && oid == types.Int4OID && len(v) == 4:
		d.I = int64(int32(binary.BigEndian.Uint32(v)))
		return d, true
	case format == 1:
		d, err = x.env.Recv(oid, -1, v)
	case format == 0:
		if d.I, ok = smallInt(oid, v); ok {
			return d, true
		}
		if v, err = x.env.FromClient(v); err == nil {
			d, err = x.env.In(oid, -1, string(v))
		}
	default:
		return d, false
	}
	return d, err == nil
}

// smallInt reads the usual form of an integer: a few digits, perhaps a sign.
func smallInt(oid types.OID, v []byte) (n int64, ok bool) {
	switch oid {
	case types.Int8OID:
	case types.Int4OID:
		if len(v) > 9 {
			return 0, false
		}
	default:
		return 0, false
	}
	digits := v
	if len(v) > 0 && v[0] == '-' {
		digits = v[1:]
	}
	if len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	if len(digits) < len(v) {
		n = -n
	}
	return n, true
}

// executePoint is Execute of a portal that bindPoint made; done is false when
// there is none, or when the ordinary way has to run it, which it then can.
func (x *Session) executePoint(name string, maxRows int64, sink Sink) (done bool, err error) {
	u := &x.short
	if !u.live || name != "" {
		return false, nil
	}
	if maxRows != 0 || u.done || x.reason.Load() != nil || x.state == txnFailed {
		x.lengthen()
		return false, nil
	}
	u.done = true
	return true, x.runPoint(u.point, u.stmt.text, u.params, sink)
}

// runPoint reads and delivers the row.
func (x *Session) runPoint(p *point, text string, params []column.Datum, sink Sink) error {
	x.srv.counters.Statements.Add(1)
	noModel := x.knob().exec.NoLearned
	var b *column.Batch
	var err error
	if x.txn == nil {
		r := x.short.reader
		r.SetNoModel(noModel)
		access := &x.short.access
		*access = exec.Access{}
		b, err = p.read.Get(r, params, access)
		x.pending.add(x, p.read.Relation(), access)
		x.short.ran = true
	} else {
		x.activity.statements++
		snap := x.txn.Snapshot()
		snap.SetNoModel(noModel)
		defer snap.Close()
		b, err = p.read.Get(snap, params, x.accesses.Of(p.read.Relation()))
	}
	if err != nil {
		return err
	}
	x.activity.ran(x, text)
	if b == nil {
		return sink.Complete("SELECT 0")
	}
	if err := sink.Rows(p.cols, b); err != nil {
		return err
	}
	return sink.Complete("SELECT 1")
}

// lengthen makes the short portal an ordinary one.
func (x *Session) lengthen() {
	u := &x.short
	if !u.live {
		return
	}
	u.live = false
	params := make([]column.Datum, len(u.params))
	for i := range params {
		params[i] = u.params[i].Clone()
	}
	x.portals[""] = &portal{stmt: u.stmt, query: u.stmt.bound.query, params: params, cols: u.point.cols, depth: u.depth, started: u.done, ended: u.done}
}

// endShort ends what the short way holds outside of transactions, and counts
// the transaction that was none.
func (x *Session) endShort() {
	u := &x.short
	u.live = false
	if u.reader != nil {
		u.reader.Close()
	}
	if u.ran {
		u.ran = false
		x.srv.counters.Commits.Add(1)
		x.pending.done(x)
	}
}
