package sql

import (
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/syscat"
)

// maxIdleAccesses is how many tables and indexes a session keeps counters for
// between transactions; one that uses more starts anew.
const maxIdleAccesses = 64

// maxAccesses is how many tables and indexes are counted before those that were
// dropped are looked for.
const maxAccesses = 10_000

// accesses is what pg_stat_* tell of all sessions since the start, or since
// pg_stat_reset. Sessions add what they counted when a transaction ends.
type accesses struct {
	mu        sync.Mutex
	relations map[relationKey]*exec.Access
	databases map[catalog.OID]*syscat.DatabaseAccess
	limit     int // of relations before the next look for dropped ones

	waiting   atomic.Int32 // sessions whose short queries have counts to collect
	collected atomic.Int64 // when that was done, in microseconds
}

// collectInterval bounds how often the counts of other sessions' short queries
// are collected: a view of all tables asks for each. PostgreSQL's are up to a second old.
const collectInterval = 10_000 // microseconds

// shortAccesses is what a session's short queries have counted of one table and
// what nobody has collected yet.
type shortAccesses struct {
	mu       sync.Mutex
	relation catalog.OID
	access   exec.Access
	commits  int64
	waiting  bool
}

// add counts a query; done counts a transaction.
func (p *shortAccesses) add(x *Session, relation catalog.OID, a *exec.Access) {
	p.mu.Lock()
	if p.relation != relation && p.relation != 0 {
		p.mu.Unlock()
		x.foldShort()
		p.mu.Lock()
	}
	p.relation = relation
	p.access.Add(a)
	p.wait(x)
	p.mu.Unlock()
}

func (p *shortAccesses) done(x *Session) {
	p.mu.Lock()
	p.commits++
	p.wait(x)
	p.mu.Unlock()
}

// wait tells the server that there is something to collect; locked.
func (p *shortAccesses) wait(x *Session) {
	if !p.waiting {
		p.waiting = true
		x.srv.accesses.waiting.Add(1)
	}
}

// foldShort adds what short queries have counted, from any goroutine.
func (x *Session) foldShort() {
	p := &x.pending
	p.mu.Lock()
	relation, a, commits := p.relation, p.access, p.commits
	p.relation, p.access, p.commits = 0, exec.Access{}, 0
	if p.waiting {
		p.waiting = false
		x.srv.accesses.waiting.Add(-1)
	}
	p.mu.Unlock()
	if relation == 0 && commits == 0 {
		return
	}
	s := &x.srv.accesses
	s.mu.Lock()
	defer s.mu.Unlock()
	s.database(x.database).Commits += commits
	if relation != 0 {
		s.count(relationKey{x.database, relation}, &a)
	}
}

// collect adds what the short queries of all sessions have counted.
func (w world) collect() {
	w.x.foldShort()
	s := &w.x.srv.accesses
	now := w.x.now()
	if s.waiting.Load() == 0 || now-s.collected.Load() < collectInterval {
		return
	}
	w.x.srv.Each((*Session).foldShort)
	s.collected.Store(now)
}

// count adds to the counters of a table or index and to its database's; the
// caller holds the mutex.
func (s *accesses) count(key relationKey, a *exec.Access) {
	if s.relations == nil {
		s.relations, s.limit = map[relationKey]*exec.Access{}, maxAccesses
	}
	total := s.relations[key]
	if total == nil {
		total = &exec.Access{}
		s.relations[key] = total
	}
	total.Add(a)
	s.database(key.database).Access.Add(a)
}

type relationKey struct{ database, relation catalog.OID }

// database returns the counters of a database; the caller holds the mutex.
func (s *accesses) database(oid catalog.OID) *syscat.DatabaseAccess {
	d := s.databases[oid]
	if d == nil {
		if s.databases == nil {
			s.databases = map[catalog.OID]*syscat.DatabaseAccess{}
		}
		d = &syscat.DatabaseAccess{}
		s.databases[oid] = d
	}
	return d
}

// began counts a session, ended how long it took.
func (s *accesses) began(x *Session) {
	s.mu.Lock()
	s.database(x.database).Sessions++
	s.mu.Unlock()
}

func (s *accesses) ended(x *Session) {
	a := x.Activity()
	s.mu.Lock()
	d := s.database(x.database)
	d.SessionTime += a.SessionTime
	d.ActiveTime += a.ActiveTime
	s.mu.Unlock()
}

// foldAccesses adds what the ending transaction counted.
func (x *Session) foldAccesses(committed bool) {
	if x.txn != nil {
		x.srv.outcomes.note(x.txn.AssignedXID(), committed)
	}
	s := &x.srv.accesses
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.database(x.database)
	if committed {
		d.Commits++
	} else {
		d.Rollbacks++
	}
	for oid, a := range x.accesses {
		if *a == (exec.Access{}) {
			continue
		}
		s.count(relationKey{x.database, oid}, a)
		*a = exec.Access{}
	}
	if len(x.accesses) > maxIdleAccesses {
		clear(x.accesses)
	}
	if s.limit > 0 && len(s.relations) > s.limit {
		view := x.cat.View(nil)
		for key := range s.relations {
			if key.database == x.database && view.Relation(key.relation) == nil && view.Index(key.relation) == nil {
				delete(s.relations, key)
			}
		}
		s.limit = 2*len(s.relations) + maxAccesses
	}
}

// countError counts errors that pg_stat_database has a column for.
func (x *Session) countError(err error) {
	if pgerr.From(err).Code != pgerr.DeadlockDetected {
		return
	}
	s := &x.srv.accesses
	s.mu.Lock()
	s.database(x.database).Deadlocks++
	s.mu.Unlock()
}

// Access implements syscat.Server.
func (w world) Access(oid catalog.OID) exec.Access {
	w.collect()
	s := &w.x.srv.accesses
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.relations[relationKey{w.x.database, oid}]; a != nil {
		return *a
	}
	return exec.Access{}
}

// OwnAccess implements syscat.Server.
func (w world) OwnAccess(oid catalog.OID) exec.Access {
	if a := w.x.accesses[oid]; a != nil {
		return *a
	}
	return exec.Access{}
}

// DatabaseAccess implements syscat.Server.
func (w world) DatabaseAccess(oid catalog.OID) syscat.DatabaseAccess {
	w.collect()
	s := &w.x.srv.accesses
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.databases[oid]; d != nil {
		return *d
	}
	return syscat.DatabaseAccess{}
}

// ResetAccess implements syscat.Server.
func (w world) ResetAccess(relation catalog.OID) {
	w.x.srv.Each((*Session).foldShort)
	now := w.x.now()
	s := &w.x.srv.accesses
	s.mu.Lock()
	defer s.mu.Unlock()
	if relation != 0 {
		delete(s.relations, relationKey{w.x.database, relation})
		return
	}
	for key := range s.relations {
		if key.database == w.x.database {
			delete(s.relations, key)
		}
	}
	*s.database(w.x.database) = syscat.DatabaseAccess{Reset: now}
}
