package exec

import (
	"fmt"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// takeRowIDs reserves n row numbers of a table without a primary key. Any
// snapshot will do to find where to start: rows that it does not see were
// written since the server started, with numbers from the same place.
func takeRowIDs(rt *Runtime, store engine.StoreID, n int64) (int64, error) {
	return rt.DB.RowIDs(store, n, func() (int64, error) { return lastRowID(rt, store) })
}

// lastRowID reads the greatest row number in a table.
func lastRowID(rt *Runtime, store engine.StoreID) (int64, error) {
	snap := rt.Txn.LatestSnapshot() // its reads are nobody's business
	defer snap.Close()
	it := snap.Scan(store, engine.ScanOptions{Cols: []int{}, Keys: true, Reverse: true})
	defer it.Close()
	var b column.Batch
	ok, err := it.Next(&b)
	if err != nil {
		return 0, err
	}
	var last int64
	if ok {
		if last, err = rowIDOf(store, it.Keys()[0]); err != nil {
			return 0, err
		}
	}
	// Rows of transactions that were prepared before the start are in no snapshot yet.
	if key := rt.DB.PreparedLast(store); key != nil {
		pending, err := rowIDOf(store, key)
		return max(last, pending), err
	}
	return last, nil
}

func rowIDOf(store engine.StoreID, key []byte) (int64, error) {
	d, _, _, err := keys.Decode(key, column.Int, 0, nil)
	if err != nil {
		return 0, fmt.Errorf("row id of store %d: %w", store, err)
	}
	return d.I, nil
}
