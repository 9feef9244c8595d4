package functions

import (
	"bytes"
	"strings"

	"github.com/omendb/omendb/sql/types"
)

// boolean is a value of three-valued logic.
type boolean uint8

const (
	boolFalse boolean = iota
	boolTrue
	boolUnknown
)

func truth(v bool) boolean {
	if v {
		return boolTrue
	}
	return boolFalse
}

// nested evaluates a condition in which @ is v.
func (x *pathExec) nested(p *types.PathItem, v types.JSONB) (boolean, error) {
	saved := x.current
	x.current = v
	defer func() { x.current = saved }()
	return x.condition(p, v)
}

// condition evaluates a predicate. Errors of the path make it unknown.
func (x *pathExec) condition(p *types.PathItem, v types.JSONB) (boolean, error) {
	switch p.Kind {
	case types.PathAnd, types.PathOr:
		decides := boolFalse
		if p.Kind == types.PathOr {
			decides = boolTrue
		}
		a, err := x.condition(p.Left, v)
		if err != nil || a == decides {
			return a, err
		}
		b, err := x.condition(p.Right, v)
		if err != nil || b == decides || a != boolUnknown {
			return b, err
		}
		return a, nil
	case types.PathNot:
		a, err := x.condition(p.Left, v)
		if err != nil || a == boolUnknown {
			return a, err
		}
		return truth(a == boolFalse), nil
	case types.PathUnknown:
		a, err := x.condition(p.Left, v)
		return truth(a == boolUnknown), err
	case types.PathExists:
		var list []types.JSONB
		found := &list
		if x.lax {
			found = nil
		}
		status, err := x.item(p.Left, v, found)
		if err != nil {
			return unknownUnlessFatal(err)
		}
		return truth(status == pathOK && x.lax || len(list) > 0), nil
	}
	return x.predicate(p, v)
}

func unknownUnlessFatal(err error) (boolean, error) {
	if _, ok := err.(pathError); ok {
		return boolUnknown, nil
	}
	return boolUnknown, err
}

// predicate compares every item on the left with every item on the right. Lax mode is
// content with the first that is true.
func (x *pathExec) predicate(p *types.PathItem, v types.JSONB) (boolean, error) {
	left, err := x.unwrapped(p.Left, v, true)
	if err != nil {
		return unknownUnlessFatal(err)
	}
	right := []types.JSONB{nil}
	if p.Kind != types.PathLikeRegex {
		if right, err = x.unwrapped(p.Right, v, p.Kind == types.PathCompare); err != nil {
			return unknownUnlessFatal(err)
		}
	}
	failed, hit := false, false
	for _, a := range left {
		for _, b := range right {
			ok, err := x.test(p, a, b)
			switch {
			case err != nil:
				return boolUnknown, err
			case ok == boolUnknown && !x.lax, ok == boolTrue && x.lax:
				return ok, nil
			}
			failed, hit = failed || ok == boolUnknown, hit || ok == boolTrue
		}
	}
	switch {
	case hit:
		return boolTrue, nil
	case failed:
		return boolUnknown, nil
	}
	return boolFalse, nil
}

func (x *pathExec) test(p *types.PathItem, a, b types.JSONB) (boolean, error) {
	switch p.Kind {
	case types.PathStartsWith:
		if a.Kind() != types.JSONString || b.Kind() != types.JSONString {
			return boolUnknown, nil
		}
		return truth(strings.HasPrefix(a.Text(), b.Text())), nil
	case types.PathLikeRegex:
		return x.likeRegex(p, a)
	}
	return pathCompare(p.Text, a, b), nil
}

// likeRegex matches by like_regex. XQuery's flags differ from those of PostgreSQL's own
// functions: without s a dot matches no newline, and m lets ^ and $ match at lines.
func (x *pathExec) likeRegex(p *types.PathItem, v types.JSONB) (boolean, error) {
	if v.Kind() != types.JSONString {
		return boolUnknown, nil
	}
	re := x.memo.patterns[p]
	if re == nil {
		has := func(f string) bool { return strings.Contains(p.Flags, f) }
		flags := areFlags{icase: has("i"), quote: has("q")}
		if !has("q") {
			flags.dotNL, flags.lineNL = !has("s"), has("m")
		}
		var err error
		if re, err = compileRegex(p.Text, flags); err != nil {
			return boolUnknown, err
		}
		if x.memo.patterns == nil {
			x.memo.patterns = map[*types.PathItem]*regex{}
		}
		x.memo.patterns[p] = re
	}
	ok, err := re.matches(x.pace.c, []byte(v.Text()))
	return truth(ok), err
}

func pathCompare(op string, a, b types.JSONB) boolean {
	ka, kb := a.Kind(), b.Kind()
	if ka == types.JSONTrue {
		ka = types.JSONFalse
	}
	if kb == types.JSONTrue {
		kb = types.JSONFalse
	}
	if ka != kb {
		if ka == types.JSONNull || kb == types.JSONNull {
			return truth(op == "!=")
		}
		return boolUnknown
	}
	c := 0
	switch ka {
	case types.JSONFalse:
		c = int(a.Kind()) - int(b.Kind())
	case types.JSONNumber:
		c = a.Number().Cmp(b.Number())
	case types.JSONString:
		c = bytes.Compare(a[1:], b[1:])
	case types.JSONArray, types.JSONObject:
		return boolUnknown
	}
	switch op {
	case "==":
		return truth(c == 0)
	case "!=":
		return truth(c != 0)
	case "<":
		return truth(c < 0)
	case "<=":
		return truth(c <= 0)
	case ">":
		return truth(c > 0)
	}
	return truth(c >= 0)
}
