package sql

import (
	"context"
	"sync"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
)

// domainTests are the constraints of domains in the form in which they were last used, for parts of arrays and
// rows that are read: those have no expression of a plan around them that would test.
type domainTests struct {
	mu       sync.Mutex // workers of a statement read values, too
	revision uint64
	tests    map[catalog.OID]func(column.Datum) error
}

// testDomain tests a part of a value against the constraints of its domain.
func (x *Session) testDomain(domain catalog.OID, d column.Datum) error {
	t := &x.domains
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := x.view.Revision(); t.tests == nil || t.revision != now {
		t.revision, t.tests = now, map[catalog.OID]func(column.Datum) error{}
	}
	test := t.tests[domain]
	if test == nil {
		ctx := context.Background() // a check is over before anybody could cancel it
		var err error
		rt := &exec.Runtime{Context: ctx, Functions: x.functionContext(ctx), Catalog: x.view, Binder: sessionBinder{x, ctx}}
		if test, err = exec.DomainTest(rt, domain); err != nil {
			return err
		}
		t.tests[domain] = test
	}
	return test(d)
}
