package syscat

import (
	"sync"

	"github.com/omendb/omendb/sql/catalog"
)

// view is a system view. Its query is bound when it is first used, in any session of the
// process: it names built-in objects only, so that the result serves all.
type view struct {
	relation *catalog.Relation
	mu       sync.Mutex
	query    []byte
}

// ViewQuery returns the encoded query of the view; bind makes it from the text.
// It is what the binder asks system views for, whose descriptors have no query.
func (v *view) ViewQuery(bind func(text string) ([]byte, error)) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.query == nil {
		q, err := bind(v.relation.QueryText)
		if err != nil {
			return nil, err
		}
		v.query = q
	}
	return v.query, nil
}
