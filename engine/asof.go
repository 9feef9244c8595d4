package engine

// AsOf makes the rows of the load take effect at the timestamp of a snapshot
// of the transaction's instead of at its commit: what others have written to
// their keys since then hides them. So an index is built from a snapshot of its
// table while others maintain it. No key is locked or looked for; it is for a
// store that nobody reads yet, into which since that snapshot every writer has
// put what belongs there. The snapshot must be open until the commit.
func (b *BulkWriter) AsOf(s *Snapshot) { b.asOf = s.ts }

// linkAsOf makes the runs the transaction's.
func (b *BulkWriter) linkAsOf() {
	t := b.t
	if len(b.runs) == 0 {
		return
	}
	t.XID()
	t.seq++
	if t.bulk == nil {
		t.bulk = make(map[StoreID][]*bulkLink)
	}
	t.bulk[b.id] = append(t.bulk[b.id], &bulkLink{seq: t.seq, runs: b.runs, asOf: b.asOf})
	b.runs = nil
}
