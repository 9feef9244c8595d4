package engine

import (
	"cmp"
	"slices"
)

// Bloat is what a store has of versions that are dead; see Stats.
type Bloat struct {
	Store           StoreID
	Name            string
	Dead, DeadBytes int64
}

// Bloat lists the stores with the most dead versions, at most limit of them.
func (db *DB) Bloat(limit int) (list []Bloat) {
	v := db.acquireView()
	for id, st := range v.stores {
		if len(st.level0)+len(st.base) > 0 {
			list = append(list, Bloat{Store: id, Name: st.def.Name})
		}
	}
	db.releaseView(v)
	for i := range list {
		s := db.StoreStats(list[i].Store)
		list[i].Dead, list[i].DeadBytes = s.Dead, s.DeadBytes
	}
	list = slices.DeleteFunc(list, func(b Bloat) bool { return b.Dead == 0 })
	slices.SortFunc(list, func(a, b Bloat) int {
		return cmp.Or(cmp.Compare(b.DeadBytes, a.DeadBytes), cmp.Compare(a.Store, b.Store))
	})
	return list[:min(limit, len(list))]
}
