package sql

import (
	"context"
	"errors"
	"net"
	"sort"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/types"
)

// typeSource lets types find user-defined types in whatever view is current.
type typeSource struct{ x *Session }

// TypeByOID implements types.TypeSource.
func (t typeSource) TypeByOID(oid types.OID) *types.Type { return t.x.view.TypeByOID(oid) }

// EnumLabels implements types.TypeSource.
func (t typeSource) EnumLabels(enum types.OID) []types.EnumLabel { return t.x.view.EnumLabels(enum) }

// Attributes implements types.TypeSource.
func (t typeSource) Attributes(c types.OID) []types.Attribute { return t.x.view.Attributes(c) }

// relation finds a table by name along the search path.
func (x *Session) relation(n plan.QName) (*catalog.Relation, error) {
	if n.Schema != "" {
		s := x.view.SchemaByName(n.Schema)
		if s == nil {
			return nil, pgerr.New(pgerr.InvalidSchemaName, "schema \"%s\" does not exist", n.Schema)
		}
		if r := x.view.RelationByName(s.OID, n.Name); r != nil {
			return r, nil
		}
		return nil, pgerr.New(pgerr.UndefinedTable, "relation \"%s.%s\" does not exist", n.Schema, n.Name)
	}
	for _, s := range x.searchPath() {
		if r := x.view.RelationByName(s, n.Name); r != nil {
			return r, nil
		}
	}
	return nil, pgerr.New(pgerr.UndefinedTable, "relation \"%s\" does not exist", n.Name)
}

// systemTable is what the optimizer may ask of a system table.
type systemTable interface {
	Estimate(v *catalog.View) float64
	Distinct(attr int) float64
}

// statistics answers the optimizer from the engine and from what ANALYZE found.
type statistics struct{ x *Session }

// Rows implements planner.Statistics.
func (s statistics) Rows(t *catalog.Relation) (rows, bytes float64) {
	if sys, ok := t.Virtual.(systemTable); ok {
		return sys.Estimate(s.x.view), 0
	}
	if t.Store == 0 {
		return 1000, 0
	}
	st := s.x.srv.opts.DB.StoreStats(engine.StoreID(t.Store))
	rows, bytes = st.Rows, float64(st.Bytes)
	if rows <= 0 { // nothing committed yet, perhaps filled by this very transaction
		rows = 10
		if a := s.x.view.Statistic(t.OID); a != nil {
			rows = a.Rows
		}
	}
	return rows, bytes
}

// Unzoned implements planner.Statistics.
func (s statistics) Unzoned(t *catalog.Relation) float64 {
	return float64(s.x.srv.opts.DB.StoreStats(engine.StoreID(t.Store)).Unzoned)
}

// RangeRows implements planner.Statistics.
func (s statistics) RangeRows(t *catalog.Relation, ix *catalog.Index, lower, upper []byte) (float64, bool) {
	store := t.Store
	if ix != nil {
		store = ix.Store
	}
	if store == 0 || s.x.txn == nil || s.x.txn.Options().Isolation == engine.Serializable {
		return 0, false
	}
	snap := s.x.txn.Snapshot()
	defer snap.Close()
	return snap.EstimateRange(engine.StoreID(store), lower, upper), true
}

// Column implements planner.Statistics.
func (s statistics) Column(t *catalog.Relation, attr int) *planner.ColumnStatistics {
	if sys, ok := t.Virtual.(systemTable); ok {
		if n := sys.Distinct(attr); n != 0 {
			return &planner.ColumnStatistics{Distinct: n, Width: 4}
		}
		return nil
	}
	analyzed := s.analyzed(t, attr)
	if analyzed == nil || s.stale(t) {
		if known := s.fromSegments(t, attr); known != nil {
			if analyzed != nil {
				known.Histogram, known.Correlation = analyzed.Histogram, analyzed.Correlation
			}
			return known
		}
	}
	return analyzed
}

// Groups implements planner.Statistics.
func (s statistics) Groups(t *catalog.Relation) []catalog.GroupStatistic {
	if st := s.x.view.Statistic(t.OID); st != nil {
		return st.Groups
	}
	return nil
}

// functionSession is what functions ask of a session.
type functionSession struct {
	x       *Session
	context context.Context // of the statement
}

var _ functions.Session = functionSession{}

// CurrentUser implements functions.Session.
func (f functionSession) CurrentUser() string { return f.roleName(f.x.user) }

// SessionUser implements functions.Session.
func (f functionSession) SessionUser() string { return f.roleName(f.x.authUser) }

func (f functionSession) roleName(oid catalog.OID) string {
	if r := f.x.view.Role(oid); r != nil {
		return r.Name
	}
	return "unknown (OID=" + strconv.Itoa(int(oid)) + ")"
}

// Database implements functions.Session.
func (f functionSession) Database() string { return f.x.databaseName() }

// PID implements functions.Session.
func (f functionSession) PID() int32 { return f.x.pid }

// Setting implements functions.Session.
func (f functionSession) Setting(name string) (string, bool) {
	v, err := f.x.showSetting(name)
	return v, err == nil
}

// SetSetting implements functions.Session.
func (f functionSession) SetSetting(name, value string, local bool) (string, error) {
	if err := f.x.values.Set(name, value, local, f.x.maySet(name)); err != nil {
		return "", err
	}
	return f.x.showSetting(name)
}

// Random implements functions.Session.
func (f functionSession) Random() *functions.Random { return f.x.random }

// Notice implements functions.Session.
func (f functionSession) Notice(n *pgerr.Error) { f.x.notice(n) }

// TransactionID implements functions.Session.
func (f functionSession) TransactionID(assign bool) (uint64, bool) {
	if assign {
		return f.x.txn.XID(), true
	}
	id := f.x.txn.AssignedXID()
	return id, id != 0
}

// CurrentSnapshot implements functions.Session.
func (f functionSession) CurrentSnapshot() (xmin, xmax uint64, running []uint64) {
	xmin, xmax, running = f.x.srv.opts.DB.XIDRange()
	sort.Slice(running, func(i, j int) bool { return running[i] < running[j] })
	return xmin, xmax, running
}

// TransactionStatus implements functions.Session.
func (f functionSession) TransactionStatus(id uint64) (string, error) {
	_, xmax, running := f.x.srv.opts.DB.XIDRange()
	if id >= xmax {
		return "", pgerr.New(pgerr.InvalidParameterValue, "transaction ID %d is in the future", id)
	}
	for _, r := range running {
		if r == id {
			return "in progress", nil
		}
	}
	return f.x.srv.outcomes.status(id), nil
}

// sequence returns a sequence that the current user may use.
func (f functionSession) sequence(oid catalog.OID, bits uint32) (*catalog.Sequence, error) {
	s := f.x.view.Sequence(oid)
	if s == nil {
		if r := f.x.view.Relation(oid); r != nil {
			return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is not a sequence", r.Name)
		}
		return nil, pgerr.New(pgerr.UndefinedTable, "could not open relation with OID %d", oid)
	}
	if privilege.Held(f.x.view, f.x.user, s, bits) == 0 { // any of them will do
		return nil, pgerr.New(pgerr.InsufficientPrivilege, "permission denied for sequence %s", s.Name)
	}
	return s, nil
}

// SequenceNext implements functions.Session.
func (f functionSession) SequenceNext(oid catalog.OID) (int64, error) {
	s, err := f.sequence(oid, catalog.ACLUsage|catalog.ACLUpdate)
	if err != nil {
		return 0, err
	}
	return f.next(s)
}

// IdentityNext implements functions.Session.
func (f functionSession) IdentityNext(oid catalog.OID) (int64, error) {
	s := f.x.view.Sequence(oid)
	if s == nil {
		return 0, pgerr.New(pgerr.UndefinedTable, "could not open relation with OID %d", oid)
	}
	return f.next(s)
}

// lockSequence keeps ALTER SEQUENCE away from a sequence until the transaction ends, and
// waits for one that runs.
func (f functionSession) lockSequence(s *catalog.Sequence) (*catalog.Sequence, error) {
	if f.x.lockedSeq == s.OID { // the usual case: one after the other
		return s, nil
	}
	if err := f.x.txn.LockTable(f.context, uint64(s.OID), engine.LockRowExclusive, engine.Wait); err != nil {
		return nil, exec.MapError(err)
	}
	f.x.view.Refresh()
	now := f.x.view.Sequence(s.OID)
	if now == nil {
		return nil, pgerr.New(pgerr.UndefinedTable, "could not open relation with OID %d", s.OID)
	}
	f.x.lockedSeq = s.OID
	return now, nil
}

// next advances a sequence and notes its value for currval and lastval.
func (f functionSession) next(s *catalog.Sequence) (int64, error) {
	if f.x.txn.Options().ReadOnly && s.Persistence != 't' {
		return 0, pgerr.New(pgerr.ReadOnlySQLTransaction, "cannot execute nextval() in a read-only transaction")
	}
	s, err := f.lockSequence(s)
	if err != nil {
		return 0, err
	}
	v, err := f.x.srv.opts.DB.SequenceNext(engine.StoreID(s.Store), engine.SequenceParams{Increment: s.Increment, Min: s.Min,
		Max: s.Max, Cycle: s.Cycle, Cache: s.CacheSz})
	if errors.Is(err, engine.ErrSequenceLimit) {
		if s.Increment > 0 {
			return 0, pgerr.New(pgerr.SequenceGeneratorLimitExceeded, "nextval: reached maximum value of sequence \"%s\" (%d)", s.Name, s.Max)
		}
		return 0, pgerr.New(pgerr.SequenceGeneratorLimitExceeded, "nextval: reached minimum value of sequence \"%s\" (%d)", s.Name, s.Min)
	}
	if err != nil {
		return 0, exec.MapError(err)
	}
	f.x.sequences[s.OID] = sequenceValue{v, true}
	f.x.lastSeq = s.OID
	return v, nil
}

// SequenceCurrent implements functions.Session.
func (f functionSession) SequenceCurrent(oid catalog.OID) (int64, error) {
	s, err := f.sequence(oid, catalog.ACLSelect|catalog.ACLUsage)
	if err != nil {
		return 0, err
	}
	v := f.x.sequences[oid]
	if !v.valid {
		return 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "currval of sequence \"%s\" is not yet defined in this session", s.Name)
	}
	return v.value, nil
}

// SequenceLast implements functions.Session.
func (f functionSession) SequenceLast() (int64, error) {
	v := f.x.sequences[f.x.lastSeq]
	if !v.valid || f.x.view.Sequence(f.x.lastSeq) == nil {
		return 0, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "lastval is not yet defined in this session")
	}
	return v.value, nil
}

// SequenceSet implements functions.Session.
func (f functionSession) SequenceSet(oid catalog.OID, value int64, called bool) error {
	s, err := f.sequence(oid, catalog.ACLUpdate)
	if err != nil {
		return err
	}
	if s, err = f.lockSequence(s); err != nil {
		return err
	}
	if value < s.Min || value > s.Max {
		return pgerr.New(pgerr.NumericValueOutOfRange, "setval: value %d is out of bounds for sequence \"%s\" (%d..%d)", value, s.Name, s.Min, s.Max)
	}
	if err := f.x.srv.opts.DB.SetSequence(engine.StoreID(s.Store), engine.SequenceState{Last: value, Called: called}); err != nil {
		return exec.MapError(err)
	}
	if called {
		f.x.sequences[oid] = sequenceValue{value, true}
	}
	return nil
}

// CurrentOf implements functions.Session.
func (f functionSession) CurrentOf(cursor string, table catalog.OID, part int) (types.Datum, error) {
	return f.x.currentOf(cursor, table, part)
}

func (f functionSession) advisoryKey(l functions.AdvisoryLock) engine.AdvisoryKey {
	return engine.AdvisoryKey{Database: f.x.database, Key: uint64(l.Key), Pair: l.Pair}
}

// AdvisoryLock implements functions.Session.
func (f functionSession) AdvisoryLock(ctx context.Context, l functions.AdvisoryLock, try bool) (bool, error) {
	wait := engine.Wait
	if try {
		wait = engine.NoWait
	}
	ok, err := f.x.txn.AdvisoryLock(ctx, f.advisoryKey(l), l.Shared, !l.Transaction, wait)
	return ok, exec.MapError(err)
}

// AdvisoryUnlock implements functions.Session.
func (f functionSession) AdvisoryUnlock(l functions.AdvisoryLock) bool {
	return f.x.txn.AdvisoryUnlock(f.advisoryKey(l), l.Shared)
}

// AdvisoryUnlockAll implements functions.Session.
func (f functionSession) AdvisoryUnlockAll() {
	if f.x.txn != nil {
		f.x.txn.AdvisoryUnlockAll()
	}
}

// BlockingProcesses implements functions.Session.
func (f functionSession) BlockingProcesses(pid int32) []int32 {
	return f.x.srv.opts.DB.BlockingProcesses(pid)
}

// SnapshotBlockers implements functions.Session.
func (f functionSession) SnapshotBlockers(pid int32) []int32 {
	return f.x.srv.opts.DB.SnapshotBlockers(pid)
}

// SignalBackend implements functions.Session.
func (f functionSession) SignalBackend(pid int32, terminate bool) (bool, error) {
	found, allowed := false, true
	f.x.srv.Each(func(o *Session) {
		if o.pid != pid {
			return
		}
		found = true
		if o.login != f.x.user && !f.x.isSuperuser() && !f.x.memberOf(f.x.view, f.x.user, o.login) {
			allowed = false
		}
	})
	switch {
	case !allowed && terminate:
		return false, pgerr.New(pgerr.InsufficientPrivilege, "must be a member of the role whose process is being terminated or member of pg_signal_backend")
	case !allowed:
		return false, pgerr.New(pgerr.InsufficientPrivilege, "must be a member of the role whose query is being canceled or member of pg_signal_backend")
	case !found:
		f.x.notice(pgerr.New(pgerr.Warning, "PID %d is not a PostgreSQL server process", pid).WithSeverity("WARNING"))
		return false, nil
	case terminate:
		return f.x.srv.Terminate(pid), nil
	}
	return f.x.srv.Cancel(pid), nil
}

// ReloadConfig implements functions.Session.
func (f functionSession) ReloadConfig() error {
	if f.x.srv.opts.Reload == nil {
		return nil
	}
	return f.x.srv.opts.Reload()
}

// host and port take an address of the network apart; false for a Unix socket and in process.
func host(address string) (string, bool) {
	h, _, err := net.SplitHostPort(address)
	h, _, _ = strings.Cut(h, "%") // an address of one link is shown without its zone
	return h, err == nil
}

func port(address string) (string, bool) {
	_, p, err := net.SplitHostPort(address)
	return p, err == nil
}

// Info implements functions.Session.
func (f functionSession) Info(key functions.InfoKey) (string, bool) {
	switch key {
	case functions.InfoClientAddr:
		return host(f.x.opts.ClientAddr)
	case functions.InfoClientPort:
		return port(f.x.opts.ClientAddr)
	case functions.InfoServerAddr:
		return host(f.x.opts.ServerAddr)
	case functions.InfoServerPort:
		return port(f.x.opts.ServerAddr)
	case functions.InfoStartTime, functions.InfoLoadTime:
		return strconv.FormatInt(f.x.srv.started, 10), true
	case functions.InfoVersion:
		return "PostgreSQL " + Version + " (OmenDB) on x86_64-pc-linux-gnu, compiled by go, 64-bit", true
	case functions.InfoQuery:
		return f.x.Activity().Query, true
	}
	return "", false
}
