package engine

import (
	"fmt"
	"maps"
	"slices"

	"github.com/omendb/omendb/engine/memtable"
	"github.com/omendb/omendb/wal"
)

// apply puts one committed record into the memtables. It is the only way that
// data gets there: on the primary after the record is durable, and in
// recovery. Records that are applied already change nothing.
func (db *DB) apply(r *wal.Record) error {
	if err := db.applyRecord(r, nil); err != nil {
		return err
	}
	if db.full() {
		db.freeze()
	}
	return nil
}

// full reports whether it is time to freeze the memtables. The caller holds applyMu.
func (db *DB) full() bool {
	// As much again is in each of the memtables that wait for their flush, and in the one being flushed.
	return db.activeBytes >= db.opts.MemtableBytes || db.logBytes >= db.opts.MaxLogBytes/(maxFrozen+2)
}

// applyRecord applies a record. In recovery rp takes the rows, to apply them
// later.
func (db *DB) applyRecord(r *wal.Record, rp *replayer) error {
	if uint64(r.LSN) <= db.visible.Load() {
		return nil
	}
	d := decoder{b: r.Body}
	if v := d.byte(); d.err == nil && v != recordVersion {
		return fmt.Errorf("record %d has format version %d, newer than this program", r.LSN, v)
	}
	switch r.Kind {
	case kindCommit, kindCommitPrepared:
		temp, _ := r.Decoded.(*tempWrites)
		if err := db.applyCommit(&d, r.LSN, temp, rp); err != nil {
			return fmt.Errorf("record %d: %w", r.LSN, err)
		}
		if temp != nil {
			db.applyTemp(temp, uint64(r.LSN))
			if temp.serial != nil {
				temp.serial.Stamp(uint64(r.LSN))
			}
		}
		if r.Kind == kindCommitPrepared && d.err == nil {
			db.forgetPrepared(r.Body)
		}
	case kindPrepare:
		d.err = db.applyPrepare(r)
	case kindAbortPrepared:
		delete(db.prepared.records, d.uvarint())
	case kindSequence:
		db.applySequence(&d, r.LSN)
	case kindReserve:
		if xid, store := d.uvarint(), d.uvarint(); db.recovering {
			db.ids.recover(xid, store)
		} else {
			db.ids.applied(xid, store)
		}
	case kindLabel:
		d.string()
	default:
		return fmt.Errorf("record %d has unknown kind %d", r.LSN, r.Kind)
	}
	if d.err != nil {
		return fmt.Errorf("record %d: %w", r.LSN, d.err)
	}
	db.visible.Store(uint64(r.LSN))
	db.logBytes += wal.RecordBytes(len(r.Body))
	return nil
}

// changes collects what a record does to the set of stores, so that one new
// view holds it all.
type changes struct {
	db      *DB
	known   bool // the manifest has the definitions already: only rows are applied
	created map[StoreID]*storeState
	altered map[StoreID]*storeDef
	dropped map[StoreID]bool
	links   []link
	opened  map[string]*run // segments to link that are open already

	horizons []horizonChange
}

// lookup returns where a store's rows go and what they look like.
func (c *changes) lookup(id StoreID) (*memtable.Table, *storeDef) {
	st := c.created[id]
	if st == nil {
		st = c.db.view.Load().stores[id]
	}
	switch {
	case st == nil || c.dropped[id]:
		return nil, nil
	case c.altered[id] != nil:
		return st.active, c.altered[id]
	}
	return st.active, st.def
}

// define creates or alters a store.
func (c *changes) define(def *storeDef) {
	if c.known {
		return
	}
	if c.created == nil {
		c.created, c.altered = make(map[StoreID]*storeState), make(map[StoreID]*storeDef)
	}
	switch st := c.created[def.ID]; {
	case st != nil:
		st.def = def
	case c.db.view.Load().stores[def.ID] != nil:
		c.altered[def.ID] = def
	default:
		c.created[def.ID] = &storeState{def: def, active: memtable.NewIn(c.db.slabs)}
	}
}

func (c *changes) drop(id StoreID) {
	if c.known {
		return
	}
	if c.dropped == nil {
		c.dropped = make(map[StoreID]bool)
	}
	c.dropped[id] = true
}

func (c *changes) publish() {
	if c.created == nil && c.dropped == nil && c.links == nil && c.horizons == nil {
		return
	}
	c.db.changeView(func(stores map[StoreID]*storeState, g *garbage) {
		maps.Copy(stores, c.created)
		for id, def := range c.altered {
			st := *stores[id]
			st.def = def
			stores[id] = &st
		}
		for _, l := range c.links {
			if old := stores[l.store]; old != nil {
				st := *old
				st.place(l.run)
				stores[l.store] = &st
			} else {
				g.runs = append(g.runs, l.run)
			}
		}
		c.moveHorizons(stores)
		for _, id := range slices.Sorted(maps.Keys(c.dropped)) { // in order: one seed, one run
			if st := stores[id]; st != nil {
				st.runs(func(r *run) { g.runs = append(g.runs, r) })
			}
			delete(stores, id)
		}
	})
}

func (db *DB) applyCommit(d *decoder, lsn LSN, beside *tempWrites, rp *replayer) error {
	xid := d.uvarint()
	c := changes{db: db, known: lsn <= db.catalog}
	if beside != nil {
		c.opened = beside.opened
	}
	for len(d.b) > 0 {
		kind := d.byte()
		switch ddlKind(kind) {
		case sectionWrites:
			if rp != nil {
				rp.writes(d, &c, uint64(lsn))
				break
			}
			db.applyWrites(d, &c, uint64(lsn))
		case sectionLink, sectionLinkAsOf:
			ts := uint64(lsn)
			if kind == sectionLinkAsOf {
				ts = d.uvarint()
			}
			if err := db.applyLink(d, &c, ts); err != nil {
				return err
			}
		case ddlCreateStore, ddlAlterStore:
			c.define(newStoreDef(d.def()))
		case ddlDropStore:
			c.drop(StoreID(d.uvarint()))
		case ddlCreateSequence:
			id := StoreID(d.uvarint())
			state := SequenceState{Last: d.varint(), Called: d.bool()}
			if d.err == nil && !c.known {
				db.sequences.create(id, state)
			}
		case ddlMoveHorizon, ddlEndHorizon:
			c.decodeHorizon(d, ddlKind(kind), lsn)
		case ddlDropSequence:
			if id := StoreID(d.uvarint()); !c.known {
				db.sequences.forget(id)
			}
		default:
			d.fail()
		}
	}
	if d.err == nil {
		if xid != 0 {
			db.noteWriter(&c, xid, uint64(lsn), rp)
		}
		c.publish()
	}
	return nil
}

// applyLink makes bulk-loaded segments part of a store. Their files are
// durable: the record that names them was written after them.
func (db *DB) applyLink(d *decoder, c *changes, ts uint64) error {
	id := StoreID(d.uvarint())
	for range d.count() {
		name := d.string()
		if d.err != nil || c.known {
			continue
		}
		r, err := c.open(name, ts, id)
		if err != nil {
			return err
		}
		r.refs.Store(byViews + byManifest) // the log names it until a manifest does
		db.flush.mu.Lock()
		db.flush.nonce = max(db.flush.nonce, r.info.Nonce)
		db.flush.mu.Unlock()
		db.linked = append(db.linked, r)
		c.links = append(c.links, link{id, r})
	}
	return nil
}

// open returns a segment to be linked.
func (c *changes) open(name string, ts uint64, id StoreID) (*run, error) {
	r := c.opened[name]
	if r == nil { // a record that recovery applies
		r, err := c.db.openListed(name, ts, id)
		if err == nil {
			c.db.noteDamaged(r)
		}
		return r, err
	}
	delete(c.opened, name)
	r.reader.Stamp(ts)
	r.stamp = ts
	return r, nil
}

type link struct {
	store StoreID
	run   *run
}

func (db *DB) applyWrites(d *decoder, c *changes, ts uint64) {
	table, def := c.lookup(StoreID(d.uvarint()))
	n := d.count()
	var before int64
	if table != nil {
		before = table.Bytes()
	}
	for range n {
		flags, key, data := d.write()
		if d.err != nil {
			return
		}
		if table == nil { // dropped since
			continue
		}
		// What this process has just encoded need not be checked.
		if db.recovering && !(memtable.Version{Flags: flags, Data: data}).Check(def.kinds) {
			d.fail()
			return
		}
		table.Put(key, ts, flags, data)
	}
	if table != nil {
		db.activeBytes += table.Bytes() - before
	}
}

func (db *DB) applyTemp(w *tempWrites, ts uint64) {
	c := changes{db: db}
	for _, op := range w.ddl {
		c.define(op.def)
	}
	for id, m := range w.tables {
		if table, _ := c.lookup(id); table != nil {
			eachWrite(m, func(key []byte, v memtable.Version) {
				table.Put(key, ts, v.Flags&^memtable.Fresh, v.Data)
			})
		}
	}
	c.publish()
}

func (db *DB) applySequence(d *decoder, lsn LSN) {
	id := StoreID(d.uvarint())
	s := SequenceState{Last: d.varint(), Called: d.bool()}
	if q, err := db.sequences.get(id); err == nil && d.err == nil {
		q.mu.Lock()
		if lsn > db.catalog {
			q.logged = s
			if db.recovering {
				q.state = s
			}
		}
		q.mu.Unlock()
	}
}

// create makes a sequence known to all.
func (s *sequences) create(id StoreID, state SequenceState) {
	if q, err := s.get(id); err == nil {
		q.mu.Lock()
		q.pending, q.logged = false, state
		q.mu.Unlock()
		return
	}
	s.add(id, &sequence{state: state, logged: state})
}
