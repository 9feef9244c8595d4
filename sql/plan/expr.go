// Package plan is the language between binder, optimizer and executor:
// bound expressions and queries (names resolved to OIDs, every implicit cast
// explicit), utility statements, and physical plan nodes.
//
//	parse tree ──binder──▶ Query ──optimizer──▶ Node tree ──executor──▶ batches
//	                  └──▶ Utility ─────────────────────────▶ executor
//
// Query and Expr have a versioned encoding (Encode, Decode), in which views,
// defaults, checks and SQL functions are stored. Nothing here knows the parser.
//
// Two forms of column reference exist and never mix: a Var (range-table entry,
// attribute) in bound queries, and a Slot (ordinal in the input row) in
// physical plans. The optimizer turns the first into the second.
package plan

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// OID identifies types, functions and relations.
type OID = uint32

// Type is what an expression yields.
type Type struct {
	OID       OID
	Typmod    int32 // -1 when none
	Collation OID   // 0 when not collatable
}

// Expr is a bound scalar expression. Nodes are immutable once bound: a rewrite
// makes new nodes.
type Expr interface {
	// ResultType returns the type of the value.
	ResultType() Type
	// Position returns the 0-based byte offset in the statement's text, or -1.
	Position() int
}

// Base is the part all expressions share.
type Base struct {
	Typ Type
	Pos int
}

// ResultType implements Expr.
func (b *Base) ResultType() Type { return b.Typ }

// Position implements Expr.
func (b *Base) Position() int { return b.Pos }

// Const is a literal of known type.
type Const struct {
	Base
	Value column.Datum
	// Free tells that the literal may become a parameter of a cached plan: its
	// value did not influence binding. Literal is its number in the text (from 0).
	Free    bool
	Literal int
	// Negated tells that the literal stands behind a minus sign that is part of the constant.
	Negated bool
}

// Param is a statement parameter $N, N from 1.
type Param struct {
	Base
	N int
}

// Var is a column of a range-table entry in a bound query. Level counts query
// levels outward (0 is this query). Attr is a 0-based index into Rel.Columns,
// or one of the negative system attributes.
type Var struct {
	Base
	Level, Rel, Attr int
}

// The system attributes of a table's row.
const (
	AttrKey      = -1  // the storage key, Bytes; clients see it as ctid
	AttrTableOID = -2  // tableoid
	AttrXmin     = -3  // xmin
	AttrCmin     = -4  // cmin
	AttrXmax     = -5  // xmax
	AttrCmax     = -6  // cmax
	AttrWholeRow = -10 // the row as a composite value
)

// Slot is an ordinal in the input row of a physical node. In joins the input is
// the left row followed by the right row.
type Slot struct {
	Base
	Index int
}

// Exec is an executor parameter: a value of an outer row (correlated
// subqueries, lateral joins) or the result of an init plan, set before use.
type Exec struct {
	Base
	ID int
}

// Call is a function or operator call. Args are already coerced. For VARIADIC
// functions the array is already built.
type Call struct {
	Base
	Func *functions.Func
	Args []Expr
	// Op is the operator's OID when the call was written as an operator, else 0.
	Op OID
	// Cast tells how the call came to be, for deparsing.
	Cast      CastForm
	InputColl OID // collation for the function to use
	Variadic  bool
	ReturnSet bool
	Syntax    bool       // written in a syntax of SQL's own, as EXTRACT(… FROM …)
	Spelled   []Argument // the arguments as written, where some have names or are left out; nil: Args
}

// Argument is an argument of a call as it was written.
type Argument struct {
	Index int    // in Call.Args
	Name  string // "" for one that stands at its place
}

// CastForm says how a coercion was written.
type CastForm uint8

// The forms of a coercion.
const (
	CastNone     CastForm = iota // not a cast
	CastExplicit                 // CAST(x AS t), x::t
	CastImplicit                 // added by the binder; not shown by the deparser
)

// Relabel changes the type without changing the value (binary coercible).
type Relabel struct {
	Base
	Arg  Expr
	Cast CastForm
}

// Wraps reports whether the value has to be read anew all the same: PostgreSQL's int4 and oid share their bits, while
// here the one is kept with its sign and the other without.
func (r *Relabel) Wraps() bool {
	from, to := r.Arg.ResultType().OID, r.Typ.OID
	return from == types.Int4OID && types.Unsigned32(to) || to == types.Int4OID && types.Unsigned32(from)
}

// Wrap reads a lane of int4 or oid as one of the other.
func (r *Relabel) Wrap(lane int64) int64 {
	if r.Typ.OID == types.Int4OID {
		return int64(int32(lane))
	}
	return int64(uint32(lane))
}

// IOCast converts through the types' text output and input functions.
type IOCast struct {
	Base
	Arg  Expr
	Cast CastForm
}

// ArrayCast converts an array element by element; Elem works on a CaseTest.
type ArrayCast struct {
	Base
	Arg, Elem Expr
	Cast      CastForm
}

// DomainCast checks a domain's constraints (and not null) on its argument.
type DomainCast struct {
	Base
	Arg  Expr
	Cast CastForm
}

// RowCast converts a composite value to another composite type, field by field.
type RowCast struct {
	Base
	Arg  Expr
	Cast CastForm
}

// BoolOp is AND, OR (two or more arguments) or NOT (one).
type BoolOp struct {
	Base
	Op   BoolKind
	Args []Expr
}

// BoolKind is the operator of a BoolOp.
type BoolKind uint8

// The boolean operators.
const (
	And BoolKind = iota
	Or
	Not
)

// NullTest is IS [NOT] NULL; RowWise applies it to every field of a row.
type NullTest struct {
	Base
	Arg     Expr
	Not     bool
	RowWise bool
}

// BoolTest is IS [NOT] TRUE/FALSE/UNKNOWN.
type BoolTest struct {
	Base
	Arg  Expr
	Kind BoolTestKind
}

// BoolTestKind is the test of a BoolTest.
type BoolTestKind uint8

// The boolean tests.
const (
	IsTrue BoolTestKind = iota
	IsNotTrue
	IsFalse
	IsNotFalse
	IsUnknown
	IsNotUnknown
)

// Distinct is IS [NOT] DISTINCT FROM by an equality function.
type Distinct struct {
	Base
	Equal       *functions.Func
	Op          OID
	Left, Right Expr
	Not         bool
	InputColl   OID
}

// NullIf is NULLIF(left, right) by an equality function.
type NullIf struct {
	Base
	Equal       *functions.Func
	Op          OID
	Left, Right Expr
	InputColl   OID
}

// Case is CASE. With Arg, each When compares a CaseTest with a value.
type Case struct {
	Base
	Arg  Expr // nil for the searched form
	When []When
	Else Expr // nil: NULL
}

// When is one branch of a Case.
type When struct{ Cond, Result Expr }

// CaseTest stands for the value under test (CASE arg, array element, domain value).
type CaseTest struct{ Base }

// Coalesce is COALESCE.
type Coalesce struct {
	Base
	Args []Expr
}

// MinMax is GREATEST or LEAST.
type MinMax struct {
	Base
	Least bool
	Args  []Expr
}

// ArrayOf is ARRAY[…]. Multi means that the arguments are arrays themselves.
type ArrayOf struct {
	Base
	Elem  OID
	Args  []Expr
	Multi bool
}

// RowOf is ROW(…). Names are set for named composite types.
type RowOf struct {
	Base
	Args  []Expr
	Names []string
}

// RowCompare compares two rows field by field: < <= >= > (= and <> become ANDs and ORs).
type RowCompare struct {
	Base
	Kind        CompareKind
	Ops         []*functions.Func // the operator of Kind for each field
	OpOIDs      []OID
	Equal       []*functions.Func // equality for each field
	Left, Right []Expr
	Colls       []OID
}

// CompareKind is a btree comparison.
type CompareKind uint8

// The comparisons.
const (
	Less CompareKind = iota + 1
	LessEqual
	Equal
	GreaterEqual
	Greater
	NotEqual
)

// ArrayOp is left op ANY|ALL (array).
type ArrayOp struct {
	Base
	Func        *functions.Func
	Op          OID
	All         bool
	Left, Right Expr
	InputColl   OID
}

// Subscript reads or assigns array elements, slices and jsonb members.
type Subscript struct {
	Base
	Arg          Expr
	Upper, Lower []Expr // Lower is nil unless Slice; elements may be nil in slices
	Slice        bool
	Assign       Expr // nil for a read
}

// Field reads a column of a composite value.
type Field struct {
	Base
	Arg   Expr
	Index int // 0-based
	Name  string
}

// FieldStore replaces columns of a composite value (UPDATE t SET c.f = …).
type FieldStore struct {
	Base
	Arg    Expr
	Index  []int
	Values []Expr
}

// Default is DEFAULT in VALUES or SET; the binder replaces it before the optimizer sees it.
type Default struct{ Base }

// ValueFunc is CURRENT_DATE, CURRENT_USER, LOCALTIMESTAMP(p) and their like.
type ValueFunc struct {
	Base
	Name string // lower case: "current_date", "current_timestamp", "localtime", "current_user", "session_user", "user", "current_role", "current_catalog", "current_schema"
}

// NextValue is nextval() of a known sequence: serial and identity defaults.
type NextValue struct {
	Base
	Sequence OID
}

// Collate is an explicit COLLATE clause; it changes only the collation.
type Collate struct {
	Base
	Arg Expr
}

// Agg is an aggregate call.
type Agg struct {
	Base
	Func      *functions.Func
	Direct    []Expr // direct arguments of ordered-set aggregates
	Args      []Expr // aggregated arguments (also the WITHIN GROUP keys)
	OrderBy   []SortKey
	Distinct  bool
	Filter    Expr
	Star      bool
	Within    bool
	Level     int // query levels outward that the aggregate belongs to
	InputColl OID
	Variadic  bool
}

// WindowCall is a window function or an aggregate used as one.
type WindowCall struct {
	Base
	Func      *functions.Func
	Args      []Expr
	Filter    Expr
	Star      bool
	Window    int // index into Query.Windows
	InputColl OID
	IgnoreNul bool
	Distinct  bool
}

// Grouping is GROUPING(…): bit mask over the listed group clause indexes.
type Grouping struct {
	Base
	Refs  []int // indexes into Query.GroupBy
	Args  []Expr
	Level int
}

// SubLink is a subquery used as an expression in a bound query.
type SubLink struct {
	Base
	Kind  SubLinkKind
	Query *Query
	// For Any, All and RowCompare: Test computes the comparison of the outer
	// values with SubColumns standing for the subquery's output columns.
	Test Expr
	// Multi is the number of the MULTIEXPR (UPDATE … SET (a,b) = (SELECT …)).
	Multi int
}

// SubLinkKind tells how a subquery is used.
type SubLinkKind uint8

// The uses of subqueries.
const (
	SubExists  SubLinkKind = iota
	SubAny                 // IN, op ANY
	SubAll                 // op ALL
	SubScalar              // (SELECT one value)
	SubRow                 // row op (SELECT …), at most one row
	SubArray               // ARRAY(SELECT …)
	SubMulti               // several columns assigned at once; read through SubColumn
	SubCTEExpr             // reserved
)

// SubColumn stands for output column Index of the sublink being tested.
type SubColumn struct {
	Base
	Index int
	Multi int
}

// SubPlan is a SubLink after planning: Plans[Plan] of the Statement is run with
// Params set from the outer row.
type SubPlan struct {
	Base
	Kind   SubLinkKind
	Plan   int
	Params []SubParam // correlation: Exec parameter ID ← expression over the outer row
	Test   Expr       // over the outer row, with SubColumn for the subquery's columns
	Hashed bool       // uncorrelated Any by equality: the result may be hashed once
	// HashLeft and HashRight are the equality keys when Hashed.
	HashLeft  []Expr
	HashRight []int
	HashEqual []*functions.Func
}

// SubParam sets an executor parameter from an expression over the outer row.
type SubParam struct {
	ID   int
	Expr Expr
}

// SortKey orders by an expression.
type SortKey struct {
	Expr       Expr
	Target     int // index into Query.Targets in bound queries, -1 if none
	Desc       bool
	NullsFirst bool
	Collation  OID
	// Less and Equal are the btree operators of the expression's type; a USING
	// clause names others.
	Less, Equal *functions.Func
	UsingOp     OID
}

// SetCollation changes the collation of a node that is not shared yet: the binder
// knows it only after the whole expression is bound.
func (b *Base) SetCollation(c OID) { b.Typ.Collation = c }
