package sql

import (
	"container/list"
	"sync"

	"github.com/omendb/omendb/sql/parser"
)

// planCache keeps bound and planned statements by their exact text, for all
// sessions. A plan is used only where everything that it was bound under still
// holds: see Session.fresh.
//
// Plans are shared between sessions: nothing in a plan changes after planning.
type planCache struct {
	mu      sync.Mutex
	entries map[cacheKey]*list.Element
	order   *list.List // most recently used first
	bytes   int
}

type cacheKey struct {
	bind   bindKey
	text   string
	params string // declared parameter types; "simple" in the simple protocol
}

type cacheEntry struct {
	key      cacheKey
	s        *statement // of exact texts
	variants []*lifted  // of lifted texts
}

// The limits of the cache: a plan costs a few kB, its text counts on top.
const (
	maxCachedPlans = 4096
	maxCachedText  = 16 << 20 // bytes of text over all entries
	maxPlanText    = 64 << 10 // longer statements are bulk data, seen once
)

func newPlanCache() *planCache {
	return &planCache{entries: map[cacheKey]*list.Element{}, order: list.New()}
}

func (c *planCache) get(k cacheKey) *statement {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	s := *e.Value.(*cacheEntry).s
	s.shared, s.point, s.kept = true, nil, nil
	return &s
}

func (c *planCache) put(k cacheKey, s *statement) {
	keep := *s
	keep.point, keep.kept = nil, nil
	c.putEntry(&cacheEntry{key: k, s: &keep})
}

func (c *planCache) putEntry(n *cacheEntry) {
	if len(n.key.text) > maxPlanText {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[n.key]; e != nil {
		e.Value = n
		c.order.MoveToFront(e)
		return
	}
	c.entries[n.key] = c.order.PushFront(n)
	c.bytes += len(n.key.text)
	for len(c.entries) > maxCachedPlans || c.bytes > maxCachedText {
		last := c.order.Back()
		old := last.Value.(*cacheEntry)
		c.order.Remove(last)
		delete(c.entries, old.key)
		c.bytes -= len(old.key.text)
	}
}

// simpleParams marks entries of the simple protocol.
const simpleParams = "simple"

// find returns the statement for a query string of the simple protocol.
func (c *planCache) find(x *Session, text string) *statement {
	if len(text) > maxPlanText {
		return nil
	}
	return c.get(cacheKey{bind: x.bindKey(), text: text, params: simpleParams})
}

// keep remembers a statement that was just run, if its plan may be shared.
func (c *planCache) keep(x *Session, text string, s *statement) {
	if shareable(s) {
		c.put(cacheKey{bind: s.bound.key, text: text, params: simpleParams}, s)
	}
}

func (c *planCache) findPrepared(x *Session, text string, params []uint32) *statement {
	if len(text) > maxPlanText {
		return nil
	}
	return c.get(cacheKey{bind: x.bindKey(), text: text, params: paramKey(params)})
}

func (c *planCache) keepPrepared(x *Session, text string, params []uint32, s *statement) {
	if shareable(s) {
		c.put(cacheKey{bind: s.bound.key, text: text, params: paramKey(params)}, s)
	}
}

func paramKey(params []uint32) string {
	b := make([]byte, 0, 4*len(params))
	for _, p := range params {
		b = append(b, byte(p>>24), byte(p>>16), byte(p>>8), byte(p))
	}
	return string(b)
}

// shareable reports whether other statements and sessions may use the plan:
// queries that were bound in a committed state of the catalog, and at no certain time.
func shareable(s *statement) bool {
	return s.bound != nil && s.bound.query != nil && s.bound.views == 0 && !s.bound.instant && s.parsed != (*parser.Statement)(nil)
}
