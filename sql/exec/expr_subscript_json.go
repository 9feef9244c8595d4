package exec

import (
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// maxJSONGap bounds the nulls that an assignment beyond the end of an array fills in.
const maxJSONGap = types.MaxArrayItems / 64

// jsonSubscript reads or assigns a member of a jsonb value.
type jsonSubscript struct {
	arg, assign expr
	path        []expr
	number      []bool // the subscript is an integer
}

func (c *compiler) jsonSubscript(e *plan.Subscript) (expr, error) {
	x := &jsonSubscript{}
	var err error
	if x.arg, err = c.expr(e.Arg); err != nil {
		return nil, err
	}
	if x.path, err = c.list(e.Upper); err != nil {
		return nil, err
	}
	for _, u := range e.Upper {
		x.number = append(x.number, u.ResultType().OID == types.Int4OID)
	}
	if e.Assign == nil {
		return &rowLoop{st: c.st, kind: column.Bytes, eval: x.read}, nil
	}
	if x.assign, err = c.expr(e.Assign); err != nil {
		return nil, err
	}
	return &rowLoop{st: c.st, kind: column.Bytes, eval: x.write}, nil
}

// steps computes the subscripts as texts; ok is false when one is NULL.
func (x *jsonSubscript) steps(r *row) (out []string, ok bool, err error) {
	for i, p := range x.path {
		d, err := p.row(r)
		if err != nil || d.Null {
			return nil, false, err
		}
		if x.number[i] {
			out = append(out, strconv.FormatInt(d.I, 10))
		} else {
			out = append(out, d.String())
		}
	}
	return out, true, nil
}

func (x *jsonSubscript) read(r *row) (column.Datum, error) {
	d, err := x.arg.row(r)
	if err != nil || d.Null {
		return column.Null(), err
	}
	steps, ok, err := x.steps(r)
	if err != nil || !ok {
		return column.Null(), err
	}
	j := types.JSONB(d.B)
	for _, s := range steps {
		switch j.Kind() {
		case types.JSONObject:
			if j, ok = j.Get([]byte(s)); !ok {
				return column.Null(), nil
			}
		case types.JSONArray:
			i, err := strconv.ParseInt(s, 10, 32)
			if n := int64(j.Len()); i < 0 {
				i += n
			}
			if err != nil || i < 0 || i >= int64(j.Len()) {
				return column.Null(), nil
			}
			j = j.Index(int(i))
		default:
			return column.Null(), nil
		}
	}
	return column.Datum{B: j}, nil
}

func (x *jsonSubscript) write(r *row) (column.Datum, error) {
	d, err := x.arg.row(r)
	if err != nil {
		return d, err
	}
	v, err := x.assign.row(r)
	if err != nil {
		return v, err
	}
	steps, ok, err := x.steps(r)
	if err == nil && !ok {
		err = pgerr.New(pgerr.NullValueNotAllowed, "jsonb subscript in assignment must not be null")
	}
	if err != nil {
		return d, err
	}
	value := types.JSONB(v.B)
	if v.Null {
		value = types.JSONBConst(types.JSONNull)
	}
	j := types.JSONB(d.B)
	switch {
	case d.Null && x.number[0]:
		j = types.JSONBArray(nil)
	case d.Null:
		j = types.JSONBObject(nil)
	}
	out, err := assignJSON(j, steps, 0, value)
	return column.Datum{B: out}, err
}

// assignJSON returns j with the member at the end of the path replaced; members that are missing on the way are made.
func assignJSON(j types.JSONB, path []string, level int, value types.JSONB) (types.JSONB, error) {
	if level == len(path) {
		return value, nil
	}
	switch j.Kind() {
	case types.JSONObject:
		var pairs []types.JSONBPair
		found := false
		for i := range j.Len() {
			p := types.JSONBPair{Key: string(j.Key(i)), Value: j.Value(i)}
			if p.Key == path[level] {
				found = true
				var err error
				if p.Value, err = assignJSON(p.Value, path, level+1, value); err != nil {
					return nil, err
				}
			}
			pairs = append(pairs, p)
		}
		if !found {
			v, err := newJSON(path, level+1, value)
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, types.JSONBPair{Key: path[level], Value: v})
		}
		return types.JSONBObject(pairs), nil
	case types.JSONArray:
		return assignJSONElement(j, path, level, value)
	}
	return nil, pgerr.New(pgerr.InvalidParameterValue, "cannot replace existing key").
		WithDetail("The path assumes key is a composite object, but it is a scalar value.")
}

func assignJSONElement(j types.JSONB, path []string, level int, value types.JSONB) (types.JSONB, error) {
	n := int64(j.Len())
	i, err := strconv.ParseInt(path[level], 10, 32)
	if err != nil {
		return nil, pgerr.New(pgerr.InvalidTextRepresentation, "path element at position %d is not an integer: \"%s\"", level+1, path[level])
	}
	if i < -n {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "path element at position %d is out of range: %d", level+1, i)
	}
	if i < 0 {
		i += n
	}
	elems := make([]types.JSONB, n)
	for k := range elems {
		elems[k] = j.Index(k)
	}
	if i < n {
		elems[i], err = assignJSON(elems[i], path, level+1, value)
		return types.JSONBArray(elems), err
	}
	v, err := newJSON(path, level+1, value)
	if err != nil {
		return nil, err
	}
	return padJSON(elems, i, v)
}

// padJSON puts v at index i of an array that ends before it.
func padJSON(elems []types.JSONB, i int64, v types.JSONB) (types.JSONB, error) {
	if i > maxJSONGap {
		return nil, pgerr.New(pgerr.ProgramLimitExceeded, "total size of jsonb array elements exceeds the maximum of %d bytes", maxJSONGap)
	}
	for int64(len(elems)) < i {
		elems = append(elems, types.JSONBConst(types.JSONNull))
	}
	return types.JSONBArray(append(elems, v)), nil
}

// newJSON makes the containers that the rest of a path asks for: arrays for integers, else objects.
func newJSON(path []string, level int, value types.JSONB) (types.JSONB, error) {
	if level == len(path) {
		return value, nil
	}
	v, err := newJSON(path, level+1, value)
	if err != nil {
		return nil, err
	}
	if i, err := strconv.ParseInt(path[level], 10, 32); err == nil && i >= 0 {
		return padJSON(nil, i, v)
	}
	return types.JSONBObject([]types.JSONBPair{{Key: path[level], Value: v}}), nil
}
