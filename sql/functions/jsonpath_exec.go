package functions

import (
	"math"

	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// pathStatus tells whether a path found anything.
type pathStatus uint8

const (
	pathNotFound pathStatus = iota
	pathOK
)

// pathError is an error that silent evaluation and predicates suppress.
type pathError struct{ user *pgerr.Error }

// Error implements error.
func (e pathError) Error() string { return e.user.Error() }

func pathErrorf(code, format string, args ...any) error {
	return pathError{pgerr.New(code, format, args...)}
}

// pathExec evaluates one jsonpath over one value. Items are found in depth-first order: what
// an item yields goes to the item after it, and from the last into the list of results. A nil
// list asks only whether there is any result.
type pathExec struct {
	lax     bool
	ignore  bool // structural errors yield nothing
	root    types.JSONB
	current types.JSONB // @
	vars    types.JSONB
	memo    *pathMemo
	pace    pace
	size    int // of the innermost array that is subscripted; -1 outside
}

// item evaluates an item on a value, unwrapping arrays in lax mode.
func (x *pathExec) item(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	return x.unwrapItem(p, v, found, x.lax)
}

// next hands a value to the item after p.
func (x *pathExec) next(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	if p != nil && p.Next != nil {
		return x.item(p.Next, v, found)
	}
	if found != nil {
		*found = append(*found, v)
	}
	return pathOK, nil
}

func (x *pathExec) unwrapItem(p *types.PathItem, v types.JSONB, found *[]types.JSONB, unwrap bool) (pathStatus, error) {
	if err := x.pace.step(64); err != nil {
		return 0, err
	}
	array := v.Kind() == types.JSONArray
	switch p.Kind {
	case types.PathNull, types.PathString, types.PathNumber, types.PathBool, types.PathVariable:
		lit, err := x.literal(p)
		if err != nil {
			return 0, err
		}
		return x.next(p, lit, found)
	case types.PathRoot:
		return x.next(p, x.root, found)
	case types.PathCurrent:
		return x.next(p, x.current, found)
	case types.PathLast:
		return x.next(p, types.JSONBNumber(types.NumericFromInt64(int64(x.size-1))), found)
	case types.PathKey, types.PathAnyKey:
		return x.member(p, v, found, unwrap)
	case types.PathAnyArray:
		switch {
		case array:
			return x.any(p.Next, v, found, anyLevels{1, 1, 1}, false, x.lax)
		case x.lax:
			return x.next(p, v, found)
		}
		return x.structural(pgerr.SQLJSONArrayNotFound, "jsonpath wildcard array accessor can only be applied to an array")
	case types.PathIndex:
		return x.subscript(p, v, found)
	case types.PathAny:
		return x.anyLevel(p, v, found)
	case types.PathAdd, types.PathSub, types.PathMul, types.PathDiv, types.PathMod:
		return x.arithmetic(p, v, found)
	case types.PathPlus, types.PathMinus:
		return x.sign(p, v, found)
	case types.PathFilter:
		if unwrap && array {
			return x.elements(p, v, found)
		}
		ok, err := x.nested(p.Left, v)
		if err != nil || ok != boolTrue {
			return pathNotFound, err
		}
		return x.next(p, v, found)
	case types.PathMethod:
		return x.method(p, v, found, unwrap)
	case types.PathDatetime:
		return 0, pgerr.Unsupported("jsonpath item method .datetime() is not supported")
	}
	ok, err := x.condition(p, v)
	if err != nil {
		return 0, err
	}
	kind := types.JSONNull
	switch ok {
	case boolTrue:
		kind = types.JSONTrue
	case boolFalse:
		kind = types.JSONFalse
	}
	return x.next(p, types.JSONBConst(kind), found)
}

// structural reports an error about the shape of the value, which lax mode overlooks.
func (x *pathExec) structural(code, format string, args ...any) (pathStatus, error) {
	if x.ignore {
		return pathNotFound, nil
	}
	return 0, pathErrorf(code, format, args...)
}

// elements evaluates p on every element of an array, without unwrapping further.
func (x *pathExec) elements(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	return x.any(p, v, found, anyLevels{1, 1, 1}, false, false)
}

func (x *pathExec) literal(p *types.PathItem) (types.JSONB, error) {
	switch p.Kind {
	case types.PathString:
		return types.JSONBString(p.Text), nil
	case types.PathNumber:
		return types.JSONBNumber(p.Number), nil
	case types.PathBool:
		if p.Bool {
			return types.JSONBConst(types.JSONTrue), nil
		}
		return types.JSONBConst(types.JSONFalse), nil
	case types.PathVariable:
		if x.vars != nil {
			if v, ok := x.vars.Get([]byte(p.Text)); ok {
				return v, nil
			}
		}
		return nil, pgerr.New(pgerr.UndefinedObject, "could not find jsonpath variable \"%s\"", p.Text)
	}
	return types.JSONBConst(types.JSONNull), nil
}

func (x *pathExec) member(p *types.PathItem, v types.JSONB, found *[]types.JSONB, unwrap bool) (pathStatus, error) {
	switch {
	case v.Kind() == types.JSONObject && p.Kind == types.PathAnyKey:
		return x.any(p.Next, v, found, anyLevels{1, 1, 1}, false, x.lax)
	case v.Kind() == types.JSONObject:
		if m, ok := v.Get([]byte(p.Text)); ok {
			return x.next(p, m, found)
		}
		return x.structural(pgerr.SQLJSONMemberNotFound, "JSON object does not contain key \"%s\"", p.Text)
	case unwrap && v.Kind() == types.JSONArray:
		return x.elements(p, v, found)
	case p.Kind == types.PathAnyKey:
		return x.structural(pgerr.SQLJSONObjectNotFound, "jsonpath wildcard member accessor can only be applied to an object")
	}
	return x.structural(pgerr.SQLJSONMemberNotFound, "jsonpath member accessor can only be applied to an object")
}

func (x *pathExec) subscript(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	array := v.Kind() == types.JSONArray
	if !array && !x.lax {
		return x.structural(pgerr.SQLJSONArrayNotFound, "jsonpath array accessor can only be applied to an array")
	}
	size := 1
	if array {
		size = v.Len()
	}
	saved := x.size
	defer func() { x.size = saved }()
	x.size = size
	status := pathNotFound
	for _, s := range p.Subscripts {
		from, err := x.index(s.From, v)
		if err != nil {
			return 0, err
		}
		to := from
		if s.To != nil {
			if to, err = x.index(s.To, v); err != nil {
				return 0, err
			}
		}
		if !x.ignore && (from < 0 || from > to || to >= size) {
			return 0, pathErrorf(pgerr.InvalidSQLJSONSubscript, "jsonpath array subscript is out of bounds")
		}
		for i := max(from, 0); i <= min(to, size-1); i++ {
			elem := v
			if array {
				elem = v.Index(i)
			}
			got, err := x.next(p, elem, found)
			if err != nil {
				return 0, err
			}
			if status = max(status, got); status == pathOK && found == nil {
				return status, nil
			}
			x.size = size
		}
	}
	return status, nil
}

// index evaluates a subscript.
func (x *pathExec) index(p *types.PathItem, v types.JSONB) (int, error) {
	var list []types.JSONB
	if _, err := x.item(p, v, &list); err != nil {
		return 0, err
	}
	if len(list) != 1 || list[0].Kind() != types.JSONNumber {
		return 0, pathErrorf(pgerr.InvalidSQLJSONSubscript, "jsonpath array subscript is not a single numeric value")
	}
	i, err := list[0].Number().Trunc(0).Int64(32, "integer")
	if err != nil {
		return 0, pathErrorf(pgerr.InvalidSQLJSONSubscript, "jsonpath array subscript is out of integer range")
	}
	return int(i), nil
}

// anyLevels are the depth below a container and the depths whose values count.
type anyLevels struct{ level, first, last uint32 }

// anyLevel is .**: the value itself and what is inside it.
func (x *pathExec) anyLevel(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	status := pathNotFound
	if p.First == 0 {
		saved := x.ignore
		x.ignore = true
		var err error
		status, err = x.next(p, v, found)
		x.ignore = saved
		if err != nil || status == pathOK && found == nil {
			return status, err
		}
	}
	if v.IsScalar() {
		return status, nil
	}
	got, err := x.any(p.Next, v, found, anyLevels{1, p.First, p.Last}, true, x.lax)
	return max(status, got), err
}

// any evaluates p (nil: nothing more) on the values inside a container.
func (x *pathExec) any(p *types.PathItem, v types.JSONB, found *[]types.JSONB, l anyLevels, ignore, unwrap bool) (pathStatus, error) {
	status := pathNotFound
	if l.level > l.last {
		return status, nil
	}
	for i := range v.Len() {
		var elem types.JSONB
		if v.Kind() == types.JSONArray {
			elem = v.Index(i)
		} else {
			elem = v.Value(i)
		}
		leaves := l.first == types.PathLastLevel && l.last == types.PathLastLevel && elem.IsScalar()
		if l.level >= l.first || leaves {
			got, err := x.anyValue(p, elem, found, ignore, unwrap)
			if err != nil || got == pathOK && found == nil {
				return got, err
			}
			status = max(status, got)
		}
		if l.level < l.last && !elem.IsScalar() {
			got, err := x.any(p, elem, found, anyLevels{l.level + 1, l.first, l.last}, ignore, unwrap)
			if err != nil || got == pathOK && found == nil {
				return got, err
			}
			status = max(status, got)
		}
	}
	return status, nil
}

func (x *pathExec) anyValue(p *types.PathItem, v types.JSONB, found *[]types.JSONB, ignore, unwrap bool) (pathStatus, error) {
	if p == nil {
		return x.next(nil, v, found)
	}
	if ignore {
		saved := x.ignore
		x.ignore = true
		defer func() { x.ignore = saved }()
	}
	return x.unwrapItem(p, v, found, unwrap)
}

// unwrapped evaluates an item and takes the arrays among its results apart in lax mode.
func (x *pathExec) unwrapped(p *types.PathItem, v types.JSONB, unwrap bool) ([]types.JSONB, error) {
	var list []types.JSONB
	if _, err := x.item(p, v, &list); err != nil || !unwrap || !x.lax {
		return list, err
	}
	var out []types.JSONB
	for _, j := range list {
		if j.Kind() != types.JSONArray {
			out = append(out, j)
			continue
		}
		for i := range j.Len() {
			out = append(out, j.Index(i))
		}
	}
	return out, nil
}

func (x *pathExec) operand(p *types.PathItem, v types.JSONB, side, op string) (n types.Numeric, err error) {
	list, err := x.unwrapped(p, v, true)
	if err != nil {
		return n, err
	}
	if len(list) != 1 || list[0].Kind() != types.JSONNumber {
		return n, pathErrorf(pgerr.SingletonSQLJSONItemRequired, "%s operand of jsonpath operator %s is not a single numeric value", side, op)
	}
	return list[0].Number(), nil
}

func (x *pathExec) arithmetic(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	a, err := x.operand(p.Left, v, "left", p.Operator())
	if err != nil {
		return 0, err
	}
	b, err := x.operand(p.Right, v, "right", p.Operator())
	if err != nil {
		return 0, err
	}
	var n types.Numeric
	switch p.Kind {
	case types.PathAdd:
		n, err = a.Add(b)
	case types.PathSub:
		n, err = a.Sub(b)
	case types.PathMul:
		n, err = a.Mul(b)
	case types.PathDiv:
		n, err = a.Div(b)
	case types.PathMod:
		n, err = a.Mod(b)
	}
	if err != nil {
		return 0, pathError{pgerr.From(err)}
	}
	if p.Next == nil && found == nil {
		return pathOK, nil
	}
	return x.next(p, types.JSONBNumber(n), found)
}

func (x *pathExec) sign(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	list, err := x.unwrapped(p.Left, v, true)
	if err != nil {
		return 0, err
	}
	status := pathNotFound
	for _, j := range list {
		if j.Kind() != types.JSONNumber {
			if found == nil && p.Next == nil {
				continue
			}
			return 0, pathErrorf(pgerr.SQLJSONNumberNotFound, "operand of unary jsonpath operator %s is not a numeric value", p.Operator())
		}
		n := j.Number()
		if p.Kind == types.PathMinus {
			n = n.Neg()
		}
		got, err := x.next(p, types.JSONBNumber(n), found)
		if err != nil || got == pathOK && found == nil {
			return got, err
		}
		status = max(status, got)
	}
	return status, nil
}

// method evaluates .type() and its like.
func (x *pathExec) method(p *types.PathItem, v types.JSONB, found *[]types.JSONB, unwrap bool) (pathStatus, error) {
	switch p.Text {
	case "type":
		return x.next(p, types.JSONBString(jsonTypeName(v.Kind())), found)
	case "size":
		n := 1
		if v.Kind() == types.JSONArray {
			n = v.Len()
		} else if !x.lax {
			return x.structural(pgerr.SQLJSONArrayNotFound, "jsonpath item method .%s() can only be applied to an array", p.Text)
		}
		return x.next(p, types.JSONBNumber(types.NumericFromInt64(int64(n))), found)
	}
	if unwrap && v.Kind() == types.JSONArray {
		return x.elements(p, v, found)
	}
	switch p.Text {
	case "keyvalue":
		return x.keyValue(p, v, found)
	case "double":
		n, err := pathDouble(v)
		if err != nil {
			return 0, err
		}
		return x.next(p, types.JSONBNumber(n), found)
	}
	if v.Kind() != types.JSONNumber {
		return 0, pathErrorf(pgerr.NonNumericSQLJSONItem, "jsonpath item method .%s() can only be applied to a numeric value", p.Text)
	}
	n := v.Number()
	switch p.Text {
	case "abs":
		n = n.Abs()
	case "ceiling":
		n = n.Ceil()
	case "floor":
		n = n.Floor()
	}
	return x.next(p, types.JSONBNumber(n), found)
}

func pathDouble(v types.JSONB) (n types.Numeric, err error) {
	const bits = 64
	switch v.Kind() {
	case types.JSONNumber:
		f, err := v.Number().Float64(bits, "double precision")
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return n, pathErrorf(pgerr.NonNumericSQLJSONItem, "numeric argument of jsonpath item method .double() is out of range for type double precision")
		}
		return types.NumericFromFloat(f, bits)
	case types.JSONString:
		d, err := (&types.Env{}).In(types.Float8OID, -1, v.Text())
		if err == nil {
			if f := d.Float(); !math.IsInf(f, 0) && !math.IsNaN(f) {
				return types.NumericFromFloat(f, bits)
			}
		}
		return n, pathErrorf(pgerr.NonNumericSQLJSONItem, "string argument of jsonpath item method .double() is not a valid representation of a double precision number")
	}
	return n, pathErrorf(pgerr.NonNumericSQLJSONItem, "jsonpath item method .double() can only be applied to a string or numeric value")
}

// keyValue yields an object for every pair. Its id is the place of the object in the value.
func (x *pathExec) keyValue(p *types.PathItem, v types.JSONB, found *[]types.JSONB) (pathStatus, error) {
	if v.Kind() != types.JSONObject {
		return 0, pathErrorf(pgerr.SQLJSONObjectNotFound, "jsonpath item method .keyvalue() can only be applied to an object")
	}
	id := types.JSONBNumber(types.NumericFromInt64(int64(jsonbOffset(x.root, v))))
	status := pathNotFound
	for i := range v.Len() {
		pair := types.JSONBObject([]types.JSONBPair{
			{Key: "key", Value: types.JSONBString(string(v.Key(i)))}, {Key: "value", Value: v.Value(i)}, {Key: "id", Value: id}})
		got, err := x.next(p, pair, found)
		if err != nil || got == pathOK && found == nil {
			return got, err
		}
		status = max(status, got)
	}
	return status, nil
}

// jsonbOffset returns where part lies in whole, 0 when it is not a part of it.
func jsonbOffset(whole, part types.JSONB) int {
	for i := 1; i+len(part) <= len(whole); i++ {
		if &whole[i] == &part[0] {
			return i
		}
	}
	return 0
}
