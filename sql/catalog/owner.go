package catalog

// StoreOwner finds the table whose rows a store holds, or the index and its
// table; nil where it is none of this database.
func (v *View) StoreOwner(store uint64) (table *Relation, index *Index) {
	v.Relations(func(r *Relation) bool {
		if r.Store == store && store != 0 {
			table = r
			return false
		}
		for _, i := range v.IndexesOf(r) {
			if i.Store == store && store != 0 {
				table, index = r, i
				return false
			}
		}
		return true
	})
	return table, index
}
