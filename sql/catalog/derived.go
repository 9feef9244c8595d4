package catalog

import (
	"slices"
	"sync"
)

// derived keeps what others computed from a state of the catalog. Copies of the state
// inherit the values with the changes made since, so that whoever computed one needs
// to look at those only.
type derived struct {
	mu      sync.Mutex
	values  map[any]kept
	first   int   // the number of the first of the changes
	changes []Ref // since the oldest of the values was computed
}

// kept is a value with the state that it was computed from.
type kept struct {
	value  any
	shared *spaceState
	seen   int // changes before it
}

// Ref names an object.
type Ref struct {
	Class Class
	OID   OID
}

// Changes are what happened since a value of View.Derived was computed.
type Changes struct {
	Shared  bool  // to objects of the server: databases, roles, settings
	Objects []Ref // those of the database that changed, and those that refer to one or are referred to by one
}

// Class reports whether an object of a class is among those of the database that changed.
func (c Changes) Class(class Class) bool {
	return slices.ContainsFunc(c.Objects, func(r Ref) bool { return r.Class == class })
}

// maxChanges bounds what is remembered for values that nobody asks for meanwhile: past it
// computing them anew is cheaper.
const maxChanges = 4096

func (d *derived) copy() *derived {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.values) == 0 {
		return &derived{}
	}
	c := &derived{values: make(map[any]kept, len(d.values))}
	c.first = d.first + len(d.changes)
	for k, x := range d.values {
		c.values[k] = x
		c.first = min(c.first, x.seen)
	}
	c.changes = append(c.changes, d.changes[c.first-d.first:]...)
	return c
}

// note records that an object of a space changed from one form to another; either may be nil.
func (d *derived) note(s *space, k objectKey, old, now Object) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.values) == 0 {
		return
	}
	d.changes = append(d.changes, Ref{k.class(), k.oid()})
	for _, o := range []Object{old, now} {
		if o == nil {
			continue
		}
		for _, r := range References(o) {
			d.changes = append(d.changes, Ref{r.Class, r.OID})
		}
	}
	class := k.class()
	if class == ClassStatistic { // the rows of indexes tell how many their table has
		class = ClassRelation
	}
	for _, o := range s.dependents(class, k.oid()) {
		d.changes = append(d.changes, Ref{o.Class(), o.Head().OID})
	}
	if len(d.changes) > maxChanges {
		d.values, d.changes = nil, nil
	}
}

// Derived returns what is kept under a key with the state that the view shows. When there
// is nothing yet, or something changed since, update computes it: from the value of
// an earlier state and the changes, or from nothing when old is nil. Sessions that
// see the same state share it, so that the value must be safe for them all; it
// must depend on nothing else.
func (v *View) Derived(key any, update func(old any, changes Changes) any) any {
	d := v.own.derived
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.first + len(d.changes)
	x, ok := d.values[key]
	switch {
	case !ok:
		x.value = update(nil, Changes{})
	case x.shared == v.shared.state && x.seen == now:
		return x.value
	default:
		x.value = update(x.value, Changes{Shared: x.shared != v.shared.state, Objects: d.changes[x.seen-d.first:]})
	}
	x.shared, x.seen = v.shared.state, now
	if d.values == nil {
		d.values = map[any]kept{}
	}
	d.values[key] = x
	return x.value
}

// maxClass bounds the numbers of classes, for the counts of objects.
const maxClass = 31

// Count returns how many objects of a class there are.
func (v *View) Count(class Class) int { return v.space(class).counts[class] }
