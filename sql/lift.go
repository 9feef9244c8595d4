package sql

import (
	"context"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/parser"
	"github.com/omendb/omendb/sql/planner"
)

// lifted is a cached plan that serves every text which differs from the one it
// was made of only in certain literals. It is kept for point plans alone:
// other plans depend on the values.
type lifted struct {
	bound  *compiled
	params []planner.LiftedParam
	pinned map[int]string // literals that must be the same, by number
}

// maxVariants bounds the plans under one lifted text, which differ in pinned literals.
const maxVariants = 4

// values reads the literals of a text as the plan's parameters; false when the
// plan does not serve the text.
func (l *lifted) values(x *Session, literals []parser.Literal) ([]column.Datum, bool) {
	for i, v := range l.pinned {
		if literals[i].Value != v {
			return nil, false
		}
	}
	out := make([]column.Datum, len(l.params))
	for i, p := range l.params {
		text := literals[p.Literal].Value
		if p.Negated {
			text = "-" + text
		}
		d, err := x.env.In(p.Type.OID, p.Type.Typmod, text)
		if err != nil { // the ordinary way reports it with its position
			return nil, false
		}
		out[i] = d
	}
	return out, true
}

// runLifted runs a simple query by a plan of a text like it; done is false
// when there is none.
func (x *Session) runLifted(ctx context.Context, key string, literals []parser.Literal, sink Sink) (done bool, err error) {
	plans := x.srv.plans.findLifted(x, key)
	if len(plans) > 0 { // what others have committed since the last statement counts
		x.begin()
		x.view.Refresh()
	}
	for _, l := range plans {
		if !x.fresh(l.bound) {
			continue
		}
		params, ok := l.values(x, literals)
		if !ok {
			continue
		}
		if moved, err := x.relock(ctx, l.bound); err != nil || moved {
			return false, err
		}
		x.env.StatementNow = x.now()
		x.srv.counters.Statements.Add(1)
		if err := x.runQuery(ctx, l.bound.query, params, sink); err != nil {
			return true, err
		}
		x.noteTextPoint(key, l)
		return true, nil
	}
	return false, nil
}

// compileLifted compiles a statement; when its plan serves other literals, too,
// it is remembered, and params are this text's values.
func (x *Session) compileLifted(ctx context.Context, st *parser.Statement, key string, literals []parser.Literal) (*compiled, []column.Datum, error) {
	x.begin()
	x.view.Refresh()
	env := x.plannerEnv(ctx, nil)
	defer x.watchNow()()
	b, err := planner.Bind(env, *st)
	if err != nil {
		return nil, nil, err
	}
	if b.Query == nil || len(b.Params) > 0 {
		c, err := x.planBound(env, b)
		return c, nil, err
	}
	q, params := planner.LiftLiterals(env, b.Query)
	if len(params) > 0 {
		generic := *b
		generic.Query = q
		c, err := x.planBound(env, &generic)
		if err == nil && planner.IsPointPlan(c.query) && c.views == 0 && !c.instant {
			l := &lifted{bound: c, params: params, pinned: pinnedLiterals(params, literals)}
			if values, ok := l.values(x, literals); ok {
				x.srv.plans.keepLifted(x, key, l)
				return c, values, nil
			}
		}
	}
	c, err := x.planBound(env, b)
	return c, nil, err
}

func pinnedLiterals(params []planner.LiftedParam, literals []parser.Literal) map[int]string {
	pinned := map[int]string{}
	for i, l := range literals {
		pinned[i] = l.Value
	}
	for _, p := range params {
		delete(pinned, p.Literal)
	}
	return pinned
}

// findLifted returns the plans under a lifted text, the newest first.
func (c *planCache) findLifted(x *Session, key string) []*lifted {
	k := cacheKey{bind: x.bindKey(), text: key, params: liftedParams}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cacheEntry).variants
}

func (c *planCache) keepLifted(x *Session, key string, l *lifted) {
	k := cacheKey{bind: l.bound.key, text: key, params: liftedParams}
	variants := []*lifted{l}
	for _, o := range c.findLifted(x, key) {
		if len(variants) < maxVariants && x.fresh(o.bound) {
			variants = append(variants, o)
		}
	}
	c.putEntry(&cacheEntry{key: k, variants: variants})
}

// liftedParams marks entries of lifted texts.
const liftedParams = "lifted"
