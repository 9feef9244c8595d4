package engine

import "sync"

// rowIDs numbers the rows of stores whose keys are a growing number of no
// meaning. Numbers are not logged: a store's next one follows the greatest in
// it when it is first asked for, and from then on this is the only place that
// they are taken from.
type rowIDs struct {
	mu   sync.Mutex
	next map[StoreID]int64
}

// RowIDs reserves n numbers of a store and returns the first. On first use since
// the database was opened, last tells the greatest number in the store, as any
// snapshot sees it. Numbers whose rows were never committed may be given again
// after a restart.
func (db *DB) RowIDs(id StoreID, n int64, last func() (int64, error)) (int64, error) {
	r := &db.rowIDs
	r.mu.Lock()
	defer r.mu.Unlock()
	first, ok := r.next[id]
	if !ok {
		l, err := last()
		if err != nil {
			return 0, err
		}
		first = l + 1
		if r.next == nil {
			r.next = make(map[StoreID]int64)
		}
	}
	r.next[id] = first + n
	return first, nil
}
