package functions

import (
	"fmt"
	"strconv"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// populateEvals make rows of JSON objects: json[b]_populate_record takes the row type from
// its first argument, json[b]_to_record from the caller's column definition list.
var populateEvals = map[string]EvalFunc{
	"json_populate_record":  populateRecord("json_populate_record", false),
	"jsonb_populate_record": populateRecord("jsonb_populate_record", true),
	"json_to_record":        populateRecord("json_to_record", false),
	"jsonb_to_record":       populateRecord("jsonb_to_record", true),
}

// populateSets do the same for arrays of objects. Every row is one composite value.
var populateSets = map[string]SetFunc{
	"json_populate_recordset":  populateSet("json_populate_recordset", false),
	"jsonb_populate_recordset": populateSet("jsonb_populate_recordset", true),
	"json_to_recordset":        populateSet("json_to_recordset", false),
	"jsonb_to_recordset":       populateSet("jsonb_to_recordset", true),
}

// jsonNode is a value of either type.
type jsonNode struct {
	text   []byte      // json
	binary types.JSONB // jsonb, else nil
}

func nodeOf(d column.Datum, binary bool) jsonNode {
	if binary {
		return jsonNode{binary: types.JSONB(d.B)}
	}
	return jsonNode{text: d.B}
}

func (n jsonNode) kind() types.JSONKind {
	if n.binary != nil {
		return n.binary.Kind()
	}
	return jsonKind(n.text)
}

// raw returns the value as JSON.
func (n jsonNode) raw() []byte {
	if n.binary != nil {
		return n.binary.Append(nil)
	}
	return n.text
}

// plain returns the text of a string, and the JSON of anything else.
func (n jsonNode) plain() (string, error) {
	switch {
	case n.kind() != types.JSONString:
		return string(n.raw()), nil
	case n.binary != nil:
		return n.binary.Text(), nil
	}
	return unquoteJSON(n.text)
}

func (n jsonNode) elements() []jsonNode {
	var out []jsonNode
	if n.binary != nil {
		for i := range n.binary.Len() {
			out = append(out, jsonNode{binary: n.binary.Index(i)})
		}
		return out
	}
	jsonElements(n.text, func(v []byte) bool {
		out = append(out, jsonNode{text: v})
		return true
	})
	return out
}

// members returns the pairs of an object; of equal keys the last counts.
func (n jsonNode) members() (map[string]jsonNode, error) {
	out := map[string]jsonNode{}
	if n.binary != nil {
		for i := range n.binary.Len() {
			out[string(n.binary.Key(i))] = jsonNode{binary: n.binary.Value(i)}
		}
		return out, nil
	}
	var err error
	jsonMembers(n.text, func(key, v []byte) bool {
		var k string
		if k, err = unquoteJSON(key); err == nil {
			out[k] = jsonNode{text: v}
		}
		return err == nil
	})
	return out, err
}

// populator fills rows of one type.
type populator struct {
	c      *Ctx
	name   string
	typ    OID // the result's type: composite, a domain over one, or record
	attrs  []types.Attribute
	base   []types.Field // the row that is changed; nil for none
	record bool
}

// newPopulator finds out what rows to make. base is the row argument, nil for json_to_record.
func newPopulator(c *Ctx, name string, base *column.Datum) (*populator, error) {
	p := &populator{c: c, name: name, typ: c.RetType}
	if base != nil && p.typ == types.AnyElementOID {
		p.typ = c.argType(0)
	}
	inner, _ := c.Env.BaseType(p.typ, -1)
	if base != nil && !base.Null && (inner == types.RecordOID || isComplex(c.Env, inner)) {
		p.base = types.RecordFrom(*base)
	}
	switch {
	case inner != types.RecordOID:
		if !isComplex(c.Env, inner) {
			return nil, pgerr.New(pgerr.DatatypeMismatch, "first argument of %s must be a row type", name)
		}
		p.attrs = c.Env.Types.Attributes(inner)
	case p.base != nil:
		p.record = true
		for i, f := range p.base {
			attr := "f" + strconv.Itoa(i+1)
			if names := types.RecordNames(*base); i < len(names) {
				attr = names[i]
			}
			p.attrs = append(p.attrs, types.Attribute{Name: attr, Type: f.Type, Typmod: -1})
		}
		return p, p.checkColumns()
	case len(c.OutCols) > 0:
		p.record = true
		for _, o := range c.OutCols {
			p.attrs = append(p.attrs, types.Attribute{Name: o.Name, Type: o.Type, Typmod: o.Typmod})
		}
	default:
		return nil, pgerr.New(pgerr.FeatureNotSupported, "could not determine row type for result of %s", name).
			WithHint("Provide a non-null record argument, or call the function in the FROM clause using a column definition list.")
	}
	return p, nil
}

// checkColumns compares an anonymous row with the caller's column definition list.
func (p *populator) checkColumns() error {
	want := p.c.OutCols
	if len(want) == 0 {
		return nil
	}
	e := pgerr.New(pgerr.DatatypeMismatch, "function return row and query-specified return row do not match")
	if len(want) != len(p.attrs) {
		s := "s"
		if len(p.attrs) == 1 {
			s = ""
		}
		return e.WithDetail("Returned row contains %d attribute%s, but query expects %d.", len(p.attrs), s, len(want))
	}
	for i, a := range p.attrs {
		if a.Type != want[i].Type {
			return e.WithDetail("Returned type %s at ordinal position %d, but query expects %s.",
				p.c.Env.TypeName(a.Type), i+1, p.c.Env.TypeName(want[i].Type))
		}
	}
	return nil
}

func populateRecord(name string, binary bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		var base *column.Datum
		if len(a) > 1 {
			base = &a[0]
		}
		p, err := newPopulator(c, name, base)
		if err != nil {
			return column.Datum{}, err
		}
		from := a[0]
		if base != nil {
			if from = a[1]; from.Null {
				return a[0], nil
			}
		}
		return p.top(nodeOf(from, binary))
	}
}

func populateSet(name string, binary bool) SetFunc {
	return func(c *Ctx, a []column.Datum) (SetIter, error) {
		var base *column.Datum
		from := a[0]
		if len(a) > 1 {
			base, from = &a[0], a[1]
		}
		p, err := newPopulator(c, name, base)
		if err != nil {
			return nil, err
		}
		if from.Null {
			return oneColumn(nil), nil
		}
		n := nodeOf(from, binary)
		switch {
		case n.kind() == types.JSONArray:
		case binary:
			return nil, jsonError("cannot call %s on a non-array", name)
		case n.kind() == types.JSONObject:
			return nil, jsonError("cannot call %s on an object", name)
		default:
			return nil, jsonError("cannot call %s on a scalar", name)
		}
		var list []column.Datum
		for _, e := range n.elements() {
			if e.kind() != types.JSONObject {
				return nil, jsonError("argument of %s must be an array of objects", name)
			}
			d, err := p.top(e)
			if err != nil {
				return nil, err
			}
			list = append(list, d)
		}
		return oneColumn(list), nil
	}
}

// top makes the result of one object.
func (p *populator) top(n jsonNode) (column.Datum, error) {
	d, err := p.row(p.name, p.attrs, p.base, n)
	if err == nil && !p.record {
		err = p.c.checkDomain(p.typ, d)
	}
	return d, err
}

// checkDomain tests a value against the constraints of a domain; other types have none.
func (c *Ctx) checkDomain(typ OID, d column.Datum) error {
	if c.Domain == nil {
		return nil
	}
	return c.Domain(typ, d)
}

// row makes a composite value of an object.
func (p *populator) row(name string, attrs []types.Attribute, base []types.Field, n jsonNode) (column.Datum, error) {
	switch k := n.kind(); {
	case k == types.JSONArray:
		return column.Datum{}, jsonError("cannot call %s on an array", name)
	case k != types.JSONObject:
		return column.Datum{}, jsonError("cannot call %s on a scalar", name)
	}
	pairs, err := n.members()
	if err != nil {
		return column.Datum{}, err
	}
	fields := make([]types.Field, len(attrs))
	for i, a := range attrs {
		fields[i] = types.Field{Type: a.Type, Value: column.Null()}
		if i < len(base) {
			fields[i].Value = base[i].Value
		}
		if a.Dropped {
			continue
		}
		v, ok := pairs[a.Name]
		if !ok && base != nil {
			continue
		}
		if fields[i].Value, err = p.value(a.Type, a.Typmod, v, ok, place{key: a.Name}); err != nil {
			return column.Datum{}, err
		}
	}
	return p.c.Env.MakeRecord(fields), nil
}

// place tells where in the JSON value the populator is, for hints.
type place struct {
	key     string
	indexes []int
}

func (w place) hint() string {
	at := ""
	for _, i := range w.indexes {
		at += fmt.Sprintf("[%d]", i)
	}
	switch {
	case at == "":
		return fmt.Sprintf("See the value of key \"%s\".", w.key)
	case w.key == "":
		return fmt.Sprintf("See the array element %s.", at)
	}
	return fmt.Sprintf("See the array element %s of key \"%s\".", at, w.key)
}

// value converts a JSON value to a type; one that is not present counts as null.
func (p *populator) value(typ OID, typmod int32, n jsonNode, present bool, w place) (column.Datum, error) {
	env := p.c.Env
	base, baseMod := env.BaseType(typ, typmod)
	if base != typ {
		d, err := p.value(base, baseMod, n, present, w)
		if err == nil {
			err = p.c.checkDomain(typ, d)
		}
		return d, err
	}
	if !present || n.kind() == types.JSONNull {
		return column.Null(), nil
	}
	text := n.kind() == types.JSONString
	switch {
	case elementType(env, typ) != 0 && !text:
		return p.array(elementType(env, typ), typmod, n, w)
	case isComplex(env, typ) && !text:
		return p.row("populate_composite", env.Types.Attributes(typ), nil, n)
	case typ == types.JSONOID || typ == types.JSONBOID:
		return env.In(typ, typmod, string(n.raw()))
	}
	s, err := n.plain()
	if err != nil {
		return column.Datum{}, err
	}
	return env.In(typ, typmod, s)
}

// arrayBuilder collects the elements of a JSON array of any depth; the first path to an
// element that is no array tells how many dimensions there are.
type arrayBuilder struct {
	p      *populator
	elem   OID
	typmod int32
	dims   []int
	known  int // dimensions whose number is fixed; 0 at first
	out    []column.Datum
}

func (p *populator) array(elem OID, typmod int32, n jsonNode, w place) (column.Datum, error) {
	b := &arrayBuilder{p: p, elem: elem, typmod: typmod}
	if err := b.add(n, 0, w); err != nil {
		return column.Datum{}, err
	}
	a := types.Array{Elem: elem, Elems: b.out}
	if len(b.out) > 0 {
		for _, n := range b.dims {
			a.Dims = append(a.Dims, types.Dim{Len: int32(n), Lower: 1})
		}
	}
	return p.c.Env.MakeArray(a), nil
}

func notArray(w place) error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "expected JSON array").WithHint("%s", w.hint())
}

func (b *arrayBuilder) add(n jsonNode, depth int, w place) error {
	if n.kind() != types.JSONArray {
		return notArray(w)
	}
	list := n.elements()
	if depth >= len(b.dims) {
		if depth >= maxArrayDims {
			return pgerr.New(pgerr.ProgramLimitExceeded, "number of array dimensions (%d) exceeds the maximum allowed (%d)", depth+1, maxArrayDims)
		}
		b.dims = append(b.dims, len(list))
	} else if b.dims[depth] != len(list) {
		return pgerr.New(pgerr.InvalidTextRepresentation, "malformed JSON array").
			WithDetail("Multidimensional arrays must have sub-arrays with matching dimensions.")
	}
	for i, e := range list {
		here := place{key: w.key, indexes: append(append([]int(nil), w.indexes...), i)}
		nested := e.kind() == types.JSONArray
		switch {
		case b.known == 0 && !nested:
			b.known = depth + 1
		case b.known > 0 && depth+1 < b.known && !nested:
			return notArray(here)
		}
		if b.known == 0 || depth+1 < b.known {
			if err := b.add(e, depth+1, here); err != nil {
				return err
			}
			continue
		}
		d, err := b.p.value(b.elem, b.typmod, e, true, here)
		if err != nil {
			return err
		}
		b.out = append(b.out, d)
	}
	if len(list) == 0 && b.known == 0 {
		b.known = depth + 1
	}
	return nil
}

// maxArrayDims is PostgreSQL's MAXDIM.
const maxArrayDims = 6
