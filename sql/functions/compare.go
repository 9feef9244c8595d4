package functions

import (
	"bytes"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/types"
)

// cmpOp is one of the six comparisons.
type cmpOp uint8

const (
	opEQ cmpOp = iota
	opNE
	opLT
	opLE
	opGT
	opGE
)

// holds says whether the comparison is true of a three-way result.
func (op cmpOp) holds(c int) bool {
	switch op {
	case opEQ:
		return c == 0
	case opNE:
		return c != 0
	case opLT:
		return c < 0
	case opLE:
		return c <= 0
	case opGT:
		return c > 0
	}
	return c >= 0
}

// flip returns the comparison with its sides swapped.
func (op cmpOp) flip() cmpOp {
	switch op {
	case opLT:
		return opGT
	case opLE:
		return opGE
	case opGT:
		return opLT
	case opGE:
		return opLE
	}
	return op
}

var cmpSuffixes = [...]string{"eq", "ne", "lt", "le", "gt", "ge"}

// laneCompared lists the prefixes of comparison functions whose operands are int64
// lanes that order as numbers. All integer widths share one kernel.
const laneCompared = "int2 int4 int8 int24 int42 int28 int82 int48 int84 bool char oid date_ time_ timestamp_ cash_ cid"

// floatCompared lists those on float lanes.
const floatCompared = "float4 float8 float48 float84"

// typeCompared lists those that compare as a type's own order does: prefix=type. The
// pseudo-types stand for the type of the first argument.
const typeCompared = "numeric_=numeric text_=text text=text bpchar=bpchar bytea=bytea interval_=interval timetz_=timetz " +
	"name=name uuid_=uuid jsonb_=jsonb array_=anyarray record_=record enum_=anyenum bit=bit pg_lsn_=pg_lsn " +
	"xid8=xid8 xid8_=xid8 tid=tid oidvector=oidvector macaddr_=macaddr macaddr8_=macaddr8 network_=inet"

var (
	compareEvals = map[string]EvalFunc{}
	compareVecs  = map[string]VecFunc{}
)

func init() {
	for _, p := range strings.Fields(laneCompared) {
		for op, suffix := range cmpSuffixes {
			compareEvals[p+suffix], compareVecs[p+suffix] = laneCompare(cmpOp(op)), laneCompareVec(cmpOp(op))
		}
	}
	for name, want := range map[string]bool{"xideq": true, "xidneq": false} { // an integer beside the xid stands for its bits
		compareEvals[name] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
			return boolResult((uint32(a[0].I) == uint32(a[1].I)) == want)
		}
	}
	for _, p := range strings.Fields(floatCompared) {
		for op, suffix := range cmpSuffixes {
			compareEvals[p+suffix], compareVecs[p+suffix] = floatCompare(cmpOp(op)), floatCompareVec(cmpOp(op))
		}
	}
	for _, entry := range strings.Fields(typeCompared) {
		prefix, name, _ := strings.Cut(entry, "=")
		t := types.ByName(name)
		oid := t.OID
		if t.TypType == 'p' {
			oid = 0
		}
		for op, suffix := range cmpSuffixes {
			compareEvals[prefix+suffix], compareVecs[prefix+suffix] = typeCompare(oid, cmpOp(op)), typeCompareVec(oid, cmpOp(op))
		}
		cmp := typeCmp(oid)
		compareEvals[prefix+"cmp"], compareEvals["bt"+prefix+"cmp"] = cmp, cmp
		base := strings.TrimSuffix(prefix, "_")
		compareEvals["bt"+base+"cmp"] = cmp
		compareEvals[prefix+"larger"], compareEvals[prefix+"smaller"] = typeExtreme(oid, 1), typeExtreme(oid, -1)
	}
	for _, p := range strings.Fields("nametext textname name") {
		for op, suffix := range cmpSuffixes {
			f, v := typeCompare(types.TextOID, cmpOp(op)), typeCompareVec(types.TextOID, cmpOp(op))
			switch p { // nameeqtext, texteqname
			case "nametext":
				compareEvals["name"+suffix+"text"], compareVecs["name"+suffix+"text"] = f, v
			case "textname":
				compareEvals["text"+suffix+"name"], compareVecs["text"+suffix+"name"] = f, v
			}
		}
	}
	for op, suffix := range cmpSuffixes {
		f, v := patternCompare(cmpOp(op)), typeCompareVec(types.ByteaOID, cmpOp(op))
		compareEvals["text_pattern_"+suffix], compareVecs["text_pattern_"+suffix] = f, v
		compareEvals["bpchar_pattern_"+suffix] = typeCompare(types.BPCharOID, cmpOp(op))
	}
	for _, p := range strings.Fields("int4 int8 int24 int42 int28 int82 int48 int84 oid") {
		compareEvals["bt"+p+"cmp"] = laneCmp
	}
	for _, p := range strings.Fields("date time timestamp cash") {
		compareEvals[p+"_cmp"] = laneCmp
	}
	for _, p := range strings.Fields("int2 bool char") { // these subtract
		compareEvals["bt"+p+"cmp"] = func(_ *Ctx, a []column.Datum) (column.Datum, error) { return intResult(a[0].I - a[1].I) }
	}
	for _, p := range strings.Fields("float4 float8 float48 float84") {
		compareEvals["bt"+p+"cmp"] = func(_ *Ctx, a []column.Datum) (column.Datum, error) {
			return intResult(int64(types.CompareFloat(a[0].Float(), a[1].Float())))
		}
	}
	for _, p := range strings.Fields("int2 int4 int8 oid date_ time_ timestamp_ cash") {
		compareEvals[p+"larger"], compareEvals[p+"smaller"] = laneExtreme(1), laneExtreme(-1)
	}
	for _, p := range strings.Fields("float4 float8") {
		compareEvals[p+"larger"], compareEvals[p+"smaller"] = floatExtreme(1), floatExtreme(-1)
	}
}

func laneCompare(op cmpOp) EvalFunc {
	switch op {
	case opEQ:
		return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(a[0].I == a[1].I) }
	case opNE:
		return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(a[0].I != a[1].I) }
	case opLT:
		return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(a[0].I < a[1].I) }
	case opLE:
		return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(a[0].I <= a[1].I) }
	case opGT:
		return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(a[0].I > a[1].I) }
	}
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) { return boolResult(a[0].I >= a[1].I) }
}

func laneCmp(_ *Ctx, a []column.Datum) (column.Datum, error) {
	switch {
	case a[0].I < a[1].I:
		return intResult(-1)
	case a[0].I > a[1].I:
		return intResult(1)
	}
	return intResult(0)
}

func laneExtreme(sign int) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if (a[0].I > a[1].I) == (sign > 0) {
			return a[0], nil
		}
		return a[1], nil
	}
}

func floatCompare(op cmpOp) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(op.holds(types.CompareFloat(a[0].Float(), a[1].Float())))
	}
}

func floatExtreme(sign int) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		if types.CompareFloat(a[0].Float(), a[1].Float())*sign > 0 {
			return a[0], nil
		}
		return a[1], nil
	}
}

// comparator returns the order of a type at this call site; oid 0 is the type of the
// first argument.
func comparator(c *Ctx, oid OID) func(a, b column.Datum) int {
	if f, ok := c.Memo.(func(a, b column.Datum) int); ok {
		return f
	}
	if oid == 0 {
		oid = c.argType(0)
	}
	f := c.Env.Comparator(oid, c.Collation)
	c.Memo = f
	return f
}

func typeCompare(oid OID, op cmpOp) EvalFunc {
	if op <= opNE && (oid == types.TextOID || oid == types.ByteaOID || oid == types.NameOID || oid == types.UUIDOID) {
		want := op == opEQ
		return func(c *Ctx, a []column.Datum) (column.Datum, error) {
			if !c.Env.EqualsBytes(c.Collation) {
				return boolResult(op.holds(comparator(c, oid)(a[0], a[1])))
			}
			return boolResult(bytes.Equal(a[0].B, a[1].B) == want)
		}
	}
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(op.holds(comparator(c, oid)(a[0], a[1])))
	}
}

func typeCmp(oid OID) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return intResult(int64(comparator(c, oid)(a[0], a[1])))
	}
}

func typeExtreme(oid OID, sign int) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if comparator(c, oid)(a[0], a[1])*sign > 0 {
			return a[0], nil
		}
		return a[1], nil
	}
}

func patternCompare(op cmpOp) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		return boolResult(op.holds(bytes.Compare(a[0].B, a[1].B)))
	}
}
