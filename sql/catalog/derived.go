package catalog

import "sync"

// derived keeps what others computed from a state of the catalog, as long as somebody
// looks at that state.
type derived struct {
	mu       sync.Mutex
	shared   *space // the state of the shared objects that the values belong to
	revision uint64 // and the view's, where the spaces are private to it
	values   map[any]any
}

// Derived returns what is kept under a key with the state that the view shows, which
// make computes when there is nothing yet. Sessions that see the same state share
// it, so that the value must be safe for them all; it must depend on nothing else.
func (v *View) Derived(key any, make func() any) any {
	d, revision := v.own.derived, uint64(0)
	if v.local {
		revision = v.revision
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.values == nil || d.shared != v.shared || d.revision != revision {
		d.shared, d.revision, d.values = v.shared, revision, map[any]any{}
	}
	x, ok := d.values[key]
	if !ok {
		x = make()
		d.values[key] = x
	}
	return x
}

// maxClass bounds the numbers of classes, for the counts of objects.
const maxClass = 31

// Count returns how many objects of a class there are.
func (v *View) Count(class Class) int { return v.space(class).counts[class] }
