package sql

import (
	"sync"

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

// foldAccesses adds what the ending transaction counted.
func (x *Session) foldAccesses(committed bool) {
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
		if s.relations == nil {
			s.relations, s.limit = map[relationKey]*exec.Access{}, maxAccesses
		}
		key := relationKey{x.database, oid}
		total := s.relations[key]
		if total == nil {
			total = &exec.Access{}
			s.relations[key] = total
		}
		total.Add(a)
		d.Access.Add(a)
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
	s := &w.x.srv.accesses
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.relations[relationKey{w.x.database, oid}]; a != nil {
		return *a
	}
	return exec.Access{}
}

// DatabaseAccess implements syscat.Server.
func (w world) DatabaseAccess(oid catalog.OID) syscat.DatabaseAccess {
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
