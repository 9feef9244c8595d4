package catalog

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/pgerr"
)

// Options say how a fresh catalog is made, and what it knows beyond its rows.
type Options struct {
	Superuser string // the first role; PostgreSQL's OID 10
	Verifier  string // its SCRAM verifier; empty: no password
	// MakeVerifier, if set, is called for it when the catalog is made, and only then.
	MakeVerifier func() (string, error)
	// System are the relations of KindVirtual: system catalogs and views, which exist
	// in every database without being stored. Their OIDs are below FirstUserOID.
	System []*Relation
}

// Catalog is the committed state of all descriptors of a server.
type Catalog struct {
	db       *engine.DB
	current  atomic.Pointer[Snapshot]
	mu       sync.Mutex // held while a snapshot is derived from another
	system   *space     // what every database starts from: Options.System
	versions atomic.Uint64
	sessions atomic.Int32
	builds   sync.Map // *Build by OID: indexes that are made CONCURRENTLY
	onChange atomic.Pointer[func()]
}

// Snapshot is one committed state. It never changes.
type Snapshot struct {
	Timestamp uint64 // of the newest commit in it, 0 after start
	shared    *space
	databases map[OID]*space
}

// Open reads the catalog of a database, or makes one in a fresh database.
func Open(db *engine.DB, o Options) (*Catalog, error) {
	if o.Superuser == "" {
		o.Superuser = "omendb"
	}
	c := &Catalog{db: db, system: newSpace()}
	for _, r := range o.System {
		c.system.put(r)
	}
	objects, err := c.load()
	var missing *engine.StoreNotFoundError
	if errors.As(err, &missing) {
		if o.MakeVerifier != nil {
			if o.Verifier, err = o.MakeVerifier(); err != nil {
				return nil, fmt.Errorf("make catalog: %w", err)
			}
		}
		if err := c.bootstrap(o); err != nil {
			return nil, fmt.Errorf("make catalog: %w", err)
		}
		objects, err = c.load()
	}
	if err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	s := &Snapshot{shared: newSpace(), databases: map[OID]*space{}}
	for _, e := range objects {
		c.versions.Store(max(c.versions.Load(), e.object.Head().Version))
		s.apply(c, e)
	}
	c.current.Store(s)
	if err := c.adoptPrepared(); err != nil {
		return nil, fmt.Errorf("read catalog: %w", err)
	}
	return c, nil
}

// change is a new state of an object; a nil object is its removal.
type change struct {
	database OID // 0: shared
	key      objectKey
	object   Object
}

// apply is for snapshots that are not published yet.
func (s *Snapshot) apply(c *Catalog, e change) {
	sp := s.shared
	if e.database != 0 {
		if sp = s.databases[e.database]; sp == nil {
			sp = c.system.copy()
			s.databases[e.database] = sp
		}
	}
	if e.object == nil {
		sp.remove(e.key)
		return
	}
	sp.put(e.object)
}

// publish makes the changes of a committed transaction the current state.
func (c *Catalog) publish(timestamp uint64, changes []change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.current.Load()
	s := &Snapshot{Timestamp: max(old.Timestamp, timestamp), shared: old.shared, databases: make(map[OID]*space, len(old.databases))}
	for id, sp := range old.databases {
		s.databases[id] = sp
	}
	copied := map[OID]bool{}
	for _, e := range changes {
		if !copied[e.database] {
			copied[e.database] = true
			if e.database == 0 {
				s.shared = s.shared.copy()
			} else if sp := s.databases[e.database]; sp != nil {
				s.databases[e.database] = sp.copy()
			}
		}
		s.apply(c, e)
		if e.object == nil && e.key.class() == ClassDatabase {
			delete(s.databases, e.key.oid())
		}
	}
	c.current.Store(s)
	if fn := c.onChange.Load(); fn != nil {
		(*fn)()
	}
}

// OnChange has a function called after each change of the committed state. It must not
// look at the catalog, only remember.
func (c *Catalog) OnChange(fn func()) { c.onChange.Store(&fn) }

// copySpace returns a private copy of a published space. Copies of one space may not
// be made at the same time, hence the lock.
func (c *Catalog) copySpace(s *space) *space {
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.copy()
}

// Version tells committed states apart: it differs whenever anything changed.
func (c *Catalog) Version() *Snapshot { return c.current.Load() }

// NewOID returns an OID for a user object. It is never given again, crashes included.
func (c *Catalog) NewOID() (OID, error) {
	n, err := c.db.SequenceNext(oidSequence, engine.SequenceParams{
		Increment: 1, Min: int64(FirstUserOID), Max: int64(^OID(0)), Cache: 1,
	})
	if errors.Is(err, engine.ErrSequenceLimit) {
		return 0, pgerr.New(pgerr.ProgramLimitExceeded, "no more object identifiers are available")
	}
	return OID(n), err
}
