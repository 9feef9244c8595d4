package sql

import (
	"context"

	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/parser"
)

// textPoint is the point of a text of the simple protocol without its literals.
type textPoint struct {
	point *point
	of    *lifted
}

// maxTextPoints bounds those that a session keeps; one that has more starts anew.
const maxTextPoints = 64

// simplePoint runs a query string of the simple protocol the short way, if a
// text that differs from it in literals alone has run before; done is false
// when the ordinary way has to run it.
func (x *Session) simplePoint(ctx context.Context, text string, sink Sink) (done bool, err error) {
	if len(x.textPoints) == 0 || x.state != txnIdle && x.state != txnBlock || len(text) > maxPlanText {
		return false, nil
	}
	key, literals, ok := parser.Lift(text)
	if !ok || len(literals) == 0 {
		return false, nil
	}
	t, ok := x.textPoints[key]
	if !ok {
		return false, nil
	}
	p := t.point
	if !x.usable(p) {
		delete(x.textPoints, key)
		return false, nil
	}
	params, ok := t.of.values(x, literals)
	if !ok || !x.lockPoint(p) {
		return false, nil
	}
	if err := sink.Describe(p.cols); err != nil {
		return true, err
	}
	if err := x.runPoint(p, text, params, sink); err != nil {
		return true, err
	}
	return true, x.Sync(ctx)
}

// noteTextPoint remembers after a run by the ordinary way that later texts like
// it may be short.
func (x *Session) noteTextPoint(key string, l *lifted) {
	if !exec.HasPoint(l.bound.query) {
		return
	}
	for _, p := range l.params {
		if !pointParameter(p.Type.OID) {
			return
		}
	}
	p := x.newPoint(l.bound, x.keepKey())
	if p == nil || !x.describePoint(p, &statement{bound: l.bound}, nil) {
		return
	}
	if x.textPoints == nil || len(x.textPoints) >= maxTextPoints {
		x.textPoints = map[string]textPoint{}
	}
	x.textPoints[key] = textPoint{p, l}
}
