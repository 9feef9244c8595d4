package catalog

import (
	"context"
	"slices"
	"strconv"

	"github.com/omendb/omendb/engine"
)

// Session is what one connection adds to the catalog: its temporary schema and
// the objects in it, which no log and no other session knows.
type Session struct {
	cat      *Catalog
	database OID
	number   int32
	schema   OID                  // of the temporary schema, 0 before it is needed
	temp     map[objectKey]Object // committed temporary objects
	over     *space               // base with temp applied, for views to share
	overBase *space
}

// NewSession returns a session without temporary objects.
func (c *Catalog) NewSession(database OID) *Session {
	return &Session{cat: c, database: database, number: c.sessions.Add(1), temp: map[objectKey]Object{}}
}

// View returns the view of a transaction of this session.
func (s *Session) View(txn *engine.Txn) *View {
	v := &View{cat: s.cat, txn: txn, session: s, database: s.database}
	v.Refresh()
	return v
}

// TempName returns the name of the session's temporary schema.
func (s *Session) TempName() string { return "pg_temp_" + strconv.Itoa(int(s.number)) }

// overlay returns a space with the session's committed temporary objects.
func (s *Session) overlay(base *space) *space {
	if len(s.temp) == 0 {
		s.over, s.overBase = nil, nil
		return base
	}
	if s.overBase != base {
		s.over, s.overBase = s.cat.copySpace(base), base
		for _, o := range s.temp {
			s.over.put(o)
		}
	}
	return s.over
}

// keep takes the temporary objects out of a committed journal and returns the rest.
func (s *Session) keep(journal []change) []change {
	durable := make([]change, 0, len(journal))
	for _, e := range journal {
		_, known := s.temp[e.key]
		switch {
		case e.object != nil && s.isTemp(e.object):
			s.temp[e.key] = e.object
			s.overBase = nil
		case e.object == nil && known:
			delete(s.temp, e.key)
			s.overBase = nil
		default:
			durable = append(durable, e)
		}
	}
	return durable
}

func (s *Session) isTemp(o Object) bool {
	if s.schema == 0 {
		return false
	}
	h := o.Head()
	if h.Schema == s.schema || (o.Class() == ClassSchema && h.OID == s.schema) {
		return true
	}
	// A statistic has no schema: it is temporary with its relation.
	if o.Class() == ClassStatistic {
		_, ok := s.temp[keyOf(ClassRelation, h.OID)]
		return ok
	}
	return false
}

func (v *View) temporary(o Object) bool {
	if v.session == nil {
		return false
	}
	if o.Class() == ClassStatistic {
		if r := v.Relation(o.Head().OID); r != nil {
			return v.session.isTemp(r)
		}
	}
	return v.session.isTemp(o)
}

// TempSchema returns the OID of the session's temporary schema, 0 when it has none.
func (v *View) TempSchema() OID {
	if v.session == nil || v.session.schema == 0 || v.own.get(ClassSchema, v.session.schema) == nil {
		return 0
	}
	return v.session.schema
}

// MakeTempSchema returns the session's temporary schema, which it makes at need.
func (v *View) MakeTempSchema(ctx context.Context, owner OID) (OID, error) {
	if oid := v.TempSchema(); oid != 0 {
		return oid, nil
	}
	if v.session == nil {
		panic("catalog: temporary object without a session")
	}
	if v.session.schema == 0 {
		oid, err := v.NewOID()
		if err != nil {
			return 0, err
		}
		v.session.schema = oid
	}
	s := &Schema{Meta{OID: v.session.schema, Name: v.session.TempName(), Owner: owner}}
	return v.session.schema, v.Put(ctx, s)
}

// TempObjects returns the session's committed temporary objects, the newest first: the
// order in which they can be dropped when the session ends or discards them.
func (s *Session) TempObjects() []Object {
	list := make([]Object, 0, len(s.temp))
	for _, o := range s.temp {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Object) int { return int(int64(b.Head().OID) - int64(a.Head().OID)) })
	return list
}
