package catalog

import (
	"encoding/binary"
	"fmt"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
)

// adoptPrepared sees to it that what transactions prepared before the start
// change of the catalog is published when they commit.
func (c *Catalog) adoptPrepared() error {
	return c.db.EachPrepared(func(t *engine.Txn) error {
		var list []change
		err := t.EachWrite(catalogStore, func(key []byte, row []column.Datum, deleted bool) error {
			if len(key) != 9 || key[4] == 0 {
				return fmt.Errorf("catalog key of %d bytes", len(key))
			}
			e := change{database: OID(binary.BigEndian.Uint32(key)), key: keyOf(Class(key[4]), OID(binary.BigEndian.Uint32(key[5:])))}
			if !deleted {
				o, err := Decode(row[0].Clone().B)
				if err != nil {
					return err
				}
				c.versions.Store(max(c.versions.Load(), o.Head().Version))
				e.object = o
			}
			list = append(list, e)
			return nil
		})
		if err == nil && len(list) > 0 {
			t.OnCommit(func(at engine.LSN) { c.publish(uint64(at), list) })
		}
		return err
	})
}

// Detach makes the view's changes independent of its session, which prepares
// the transaction and goes on without it. It reports false, and does nothing,
// when temporary objects are among them.
func (v *View) Detach() bool {
	for _, e := range v.journal {
		if e.object != nil && v.temporary(e.object) {
			return false
		}
		if v.session != nil && e.object == nil && v.session.temp[e.key] != nil {
			return false
		}
	}
	v.session = nil
	return true
}
