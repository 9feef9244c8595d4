package exec

import (
	"fmt"
	"sync"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// RowIDs numbers the rows of tables without a primary key. A table's next
// number follows its last row when the server started; from then on this is the
// only place that numbers are taken from. Numbers that are lost by a rollback
// stay unused until the next start.
type RowIDs struct {
	mu   sync.Mutex
	next map[engine.StoreID]int64
}

// NewRowIDs returns an empty registry; the server has one for each engine.DB.
func NewRowIDs() *RowIDs { return &RowIDs{next: map[engine.StoreID]int64{}} }

// take reserves n numbers of a table and returns the first.
func (r *RowIDs) take(rt *Runtime, store engine.StoreID, n int64) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id, ok := r.next[store]
	if !ok {
		last, err := lastRowID(rt, store)
		if err != nil {
			return 0, err
		}
		id = last + 1
	}
	r.next[store] = id + n
	return id, nil
}

// lastRowID reads the greatest number in a table. Any snapshot will do: rows
// that it does not see were written after the server started, by transactions
// that took their numbers from RowIDs.
func lastRowID(rt *Runtime, store engine.StoreID) (int64, error) {
	it := rt.Snapshot.Scan(store, engine.ScanOptions{Cols: []int{}, Keys: true, Reverse: true})
	defer it.Close()
	var b column.Batch
	ok, err := it.Next(&b)
	if err != nil || !ok {
		return 0, err
	}
	d, _, _, err := keys.Decode(it.Keys()[0], column.Int, 0, nil)
	if err != nil {
		return 0, fmt.Errorf("row id of store %d: %w", store, err)
	}
	return d.I, nil
}
