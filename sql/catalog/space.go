package catalog

import (
	"encoding/binary"

	"github.com/tidwall/btree"
)

// objectKey orders the objects of a space by class, then OID.
type objectKey uint64

func keyOf(class Class, oid OID) objectKey { return objectKey(class)<<32 | objectKey(oid) }

func (k objectKey) class() Class { return Class(k >> 32) }
func (k objectKey) oid() OID     { return OID(k) }

// space is the objects of one database, or those that all databases share, with
// the look-ups over them. A published space is never changed; copy is O(1) and
// shares everything until it is written to.
type space struct {
	objects *btree.Map[objectKey, Object]
	names   *btree.Map[string, objectKey] // name space, schema, name
	refs    *btree.Map[string, objectKey] // referenced object, then the object that refers to it
	counts  [maxClass + 1]int             // of objects, by class
	derived *derived
	state   *spaceState // another after every change; copies share it
}

// spaceState tells states of a space apart by its address.
type spaceState struct{ _ byte }

func newSpace() *space {
	return &space{
		objects: &btree.Map[objectKey, Object]{},
		names:   &btree.Map[string, objectKey]{},
		refs:    &btree.Map[string, objectKey]{},
		derived: &derived{},
		state:   &spaceState{},
	}
}

// copy must not run at the same time as another copy of the same space.
func (s *space) copy() *space {
	return &space{objects: s.objects.Copy(), names: s.names.Copy(), refs: s.refs.Copy(), counts: s.counts, derived: s.derived.copy(), state: s.state}
}

// nameKey returns the key of a name. Functions may share one, so theirs ends in the OID.
func nameKey(space byte, schema OID, name string) string {
	b := make([]byte, 0, 6+len(name))
	b = append(b, space)
	b = binary.BigEndian.AppendUint32(b, schema)
	return string(append(b, name...))
}

func nameOf(o Object) (string, bool) {
	ns := o.Class().nameSpace()
	if ns == 0 {
		return "", false
	}
	h := o.Head()
	key := nameKey(ns, h.Schema, h.Name)
	if o.Class() == ClassFunction {
		b := binary.BigEndian.AppendUint32(append([]byte(key), 0), h.OID)
		return string(b), true
	}
	return key, true
}

func refPrefix(class Class, oid OID) string {
	return string(binary.BigEndian.AppendUint32([]byte{byte(class)}, oid))
}

func refKey(d Dependency, from objectKey) string {
	b := binary.BigEndian.AppendUint32([]byte{byte(d.Class)}, d.OID)
	return string(binary.BigEndian.AppendUint64(b, uint64(from)))
}

func (s *space) get(class Class, oid OID) Object {
	o, _ := s.objects.Get(keyOf(class, oid))
	return o
}

// byName returns the object of a name in a schema, nil when there is none.
func (s *space) byName(ns byte, schema OID, name string) Object {
	k, ok := s.names.Get(nameKey(ns, schema, name))
	if !ok {
		return nil
	}
	o, _ := s.objects.Get(k)
	return o
}

func (s *space) put(o Object) {
	k := keyOf(o.Class(), o.Head().OID)
	old, replaced := s.objects.Set(k, o)
	if replaced {
		s.unlink(k, old)
	} else {
		s.counts[k.class()]++
	}
	if name, ok := nameOf(o); ok {
		s.names.Set(name, k)
	}
	for _, d := range References(o) {
		s.refs.Set(refKey(d, k), k)
	}
	s.changed(k, old, o)
}

func (s *space) remove(k objectKey) {
	if old, ok := s.objects.Delete(k); ok {
		s.counts[k.class()]--
		s.unlink(k, old)
		s.changed(k, old, nil)
	}
}

func (s *space) changed(k objectKey, old, now Object) {
	s.state = &spaceState{}
	s.derived.note(s, k, old, now)
}

func (s *space) unlink(k objectKey, old Object) {
	if name, ok := nameOf(old); ok {
		if at, _ := s.names.Get(name); at == k {
			s.names.Delete(name)
		}
	}
	for _, d := range References(old) {
		s.refs.Delete(refKey(d, k))
	}
}

// each calls fn for the objects of a class in OID order until it returns false.
func (s *space) each(class Class, fn func(Object) bool) {
	s.objects.Ascend(keyOf(class, 0), func(k objectKey, o Object) bool {
		return k.class() == class && fn(o)
	})
}

// between is each for the objects with an OID from one on and below another; 0: no bound.
func (s *space) between(class Class, from, below OID, fn func(Object) bool) {
	s.objects.Ascend(keyOf(class, from), func(k objectKey, o Object) bool {
		return k.class() == class && (below == 0 || k.oid() < below) && fn(o)
	})
}

// dependents returns the objects that refer to one, by class and OID.
func (s *space) dependents(class Class, oid OID) []Object {
	var list []Object
	prefix := refPrefix(class, oid)
	s.refs.Ascend(prefix, func(key string, k objectKey) bool {
		if len(key) < len(prefix) || key[:len(prefix)] != prefix {
			return false
		}
		if o, ok := s.objects.Get(k); ok {
			list = append(list, o)
		}
		return true
	})
	return list
}

// functions returns the functions of a name, by OID.
func (s *space) functions(schema OID, name string) []*Function {
	var list []*Function
	prefix := nameKey(byte(ClassFunction), schema, name) + "\x00"
	s.names.Ascend(prefix, func(key string, k objectKey) bool {
		if len(key) != len(prefix)+4 || key[:len(prefix)] != prefix {
			return false
		}
		if o, ok := s.objects.Get(k); ok {
			list = append(list, o.(*Function))
		}
		return true
	})
	return list
}
