package plan

import (
	"sync/atomic"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
)

// Node is a node of a physical plan. Expressions inside a node refer to the
// child's output by Slot; a join's input row is the left row followed by the right.
type Node interface {
	// Info returns the part all nodes share.
	Info() *NodeInfo
	// Children returns the inputs, left to right.
	Children() []Node
}

// NodeInfo is the output of a node and what the optimizer expects of it.
type NodeInfo struct {
	Columns     []Column
	Rows        float64 // expected rows
	StartCost   float64 // cost before the first row
	TotalCost   float64
	Width       int   // average bytes of a row
	SubPlans    []int // plans (indexes into Statement.Plans) that expressions of this node use, for EXPLAIN
	InitPlans   []int
	Parallel    bool      // may be run by several workers over partitions of its scan
	SortedBy    []SortKey // order of the output, as Slots
	UniqueOnKey bool
}

// Info implements Node.
func (n *NodeInfo) Info() *NodeInfo { return n }

// Column is an output column of a node.
type Column struct {
	Name string
	Type Type
}

// Statement is a planned statement.
type Statement struct {
	Command Command
	Root    Node
	// Plans are the subplans that SubPlan expressions, CTE scans and init plans refer to.
	Plans []*Plan
	// Execs is the number of executor parameters; ExecTypes their types.
	ExecTypes []Type
	// Output describes the result columns as clients see them (empty: no rows).
	Output []*Target
	// Params are the types of the statement's parameters.
	Params []Type
	// Access lists the privileges to check before execution.
	Access []Access
	// ReadOnly tells that nothing is written and no row is locked.
	ReadOnly bool
	// Objects lists what the plan depends on; it is stale when a version moved.
	Objects []ObjectVersion
	// Checks, defaults and so on depend on the time of planning only through Objects.
	Text string
	// Compiled is what the executor has made of the statement for further executions.
	// Whoever changes a planned statement makes a new one and does not copy this.
	Compiled atomic.Value
}

// ObjectVersion is an object that a plan depends on.
type ObjectVersion struct {
	Class   catalog.Class
	OID     OID
	Version uint64
}

// Access is a privilege that a statement needs.
type Access struct {
	Class    catalog.Class // ClassFunction, else Table is a relation or sequence
	Table    OID
	Role     OID // 0: the current user
	Required uint32
	Read     []int // attributes, 0-based, for column privileges
	Write    []int
}

// Plan is a subplan: an init plan (run once, result into Exec parameter Result),
// a correlated subplan, or a CTE.
type Plan struct {
	Root   Node
	Name   string // "InitPlan 1 (returns $0)", "CTE x", "SubPlan 1" for EXPLAIN
	Init   bool   // run at most once per execution, when first needed
	Result int    // Exec parameter of a scalar init plan, -1 if none
	Uses   []int  // Exec parameters it reads; a change of any forces a rescan
	CTE    bool   // rows are shared by all CTEScan nodes of this plan
	Modify bool   // a data-modifying CTE: run to completion even if nobody reads it
}

// Result yields one row computed from nothing, or none if Filter is not true.
type Result struct {
	NodeInfo
	Exprs  []Expr
	Filter Expr
}

// Values yields literal rows.
type Values struct {
	NodeInfo
	Rows [][]Expr
}

// Bound is one end of a key range: a prefix of the key columns.
type Bound struct {
	Exprs     []Expr // values of the leading key columns; constants, Params or Execs
	Inclusive bool
}

// KeyRange restricts a scan to Lower ≤ key ≤ Upper in key order. A nil bound is
// unbounded. A comparison with NULL makes the range empty.
type KeyRange struct{ Lower, Upper *Bound }

// Scan reads a table in storage key order, or a range of it.
type Scan struct {
	NodeInfo
	Table   *catalog.Relation
	Alias   string
	Attrs   []int // output column i is attribute Attrs[i] (0-based; negative: system attribute)
	Range   *KeyRange
	Reverse bool
	Filter  Expr // over the output columns
	Prune   []ZonePredicate
	Sample  *TableSample
	// CountOnly: the only thing needed is the number of rows in Range (count(*) by the model); the single output column is that count.
	CountOnly bool
	RangeRows float64
}

// ZonePredicate lets a scan skip blocks by their zone maps: attribute op constant.
type ZonePredicate struct {
	Attr  int
	Kind  CompareKind
	Value Expr
}

// KeyLookup reads rows by complete storage keys: one key (Keys has one element)
// or several (IN lists; duplicates are read once), in batches.
type KeyLookup struct {
	NodeInfo
	Table  *catalog.Relation
	Alias  string
	Attrs  []int
	Keys   [][]Expr
	Array  Expr // not nil: single key column = ANY(array)
	Filter Expr
}

// IndexScan reads a secondary index in key order and fetches the table's rows
// in batches, unless IndexOnly.
type IndexScan struct {
	NodeInfo
	Table     *catalog.Relation
	Index     *catalog.Index
	Alias     string
	Attrs     []int
	Ranges    []KeyRange // disjoint, in key order; one for ordinary ranges, several for IN lists
	Array     Expr       // not nil: leading key column = ANY(array), Ranges has the rest
	Reverse   bool
	IndexOnly bool // all Attrs come from the index's key, included and storage key columns
	Filter    Expr
	KeyText   []string // the key columns as EXPLAIN shows them, where they are not all columns
}

// ItemScan finds rows by the items that their values hold (elements of arrays, parts of documents) through an index
// of the method gin. Filter has all conditions: what the index finds may be too much.
type ItemScan struct {
	NodeInfo
	Table    *catalog.Relation
	Index    *catalog.Index
	Alias    string
	Attrs    []int
	Searches []ItemSearch // all must hold
	Filter   Expr
	KeyText  []string // as IndexScan's
}

// ItemSearch is column operator value.
type ItemSearch struct {
	Column   int // of the index
	Strategy int // of the operator in the column's operator family
	Operator string
	Value    Expr
}

// VirtualScan reads a system catalog computed from descriptors.
type VirtualScan struct {
	NodeInfo
	Table  *catalog.Relation
	Alias  string
	Attrs  []int
	Equal  []VirtualEqual // restrictions that the catalog may use as a look-up; Filter still holds them
	Filter Expr
}

// VirtualEqual is attribute = value, or attribute = ANY(value).
type VirtualEqual struct {
	Attr  int
	Value Expr
	Array bool // one of the elements of Value
}

// FunctionScan yields the rows of set-returning functions side by side.
type FunctionScan struct {
	NodeInfo
	Alias      string
	Funcs      []*FuncRef
	Ordinality bool
	Filter     Expr
}

// CTEScan yields the rows of Statement.Plans[Plan].
type CTEScan struct {
	NodeInfo
	Alias  string
	Plan   int
	Filter Expr
}

// WorkTableScan yields the rows of the previous step of the recursive union ID.
type WorkTableScan struct {
	NodeInfo
	Alias  string
	ID     int
	Filter Expr
}

// Filter keeps the rows for which Cond is true.
type Filter struct {
	NodeInfo
	Input Node
	Cond  Expr
	Once  bool // Cond reads no columns: it is tested before the input is opened
}

// Project computes expressions. Subquery names the FROM alias for EXPLAIN, if any.
type Project struct {
	NodeInfo
	Input    Node
	Exprs    []Expr
	Subquery string
}

// ProjectSet computes expressions of which some return sets (lock-step expansion).
type ProjectSet struct {
	NodeInfo
	Input Node
	Exprs []Expr
}

// Sort orders its input; Limit ≥ 0 keeps only the first rows (top-N).
type Sort struct {
	NodeInfo
	Input Node
	Keys  []SortKey // Expr is a Slot
	// Presorted is the number of leading keys by which the input is ordered already.
	Presorted int
	Limit     Expr // count bound including offset, nil if none
	WithTies  bool
}

// Limit skips Offset rows and yields at most Count. NULL means none.
type Limit struct {
	NodeInfo
	Input         Node
	Offset, Count Expr
	TiesBy        []SortKey // WITH TIES
}

// Unique drops rows equal to the previous one in the given columns of sorted input.
type Unique struct {
	NodeInfo
	Input Node
	Keys  []SortKey
}

// AggStrategy is how an Aggregate finds its groups.
type AggStrategy uint8

// The strategies.
const (
	PlainAgg  AggStrategy = iota // one group
	HashAgg                      // any order of input
	SortedAgg                    // input sorted by the group keys
)

// Aggregate groups its input. Its output row is the group keys followed by the
// aggregates (and, for grouping sets, the GROUPING bits); a Project on top computes the targets.
type Aggregate struct {
	NodeInfo
	Input    Node
	Strategy AggStrategy
	Keys     []SortKey // group keys over the input
	Sets     [][]int   // grouping sets: indexes into Keys
	Aggs     []*Agg    // arguments over the input
	// Groupings are GROUPING() calls: each the key indexes it looks at; output after Aggs.
	Groupings [][]int
	Distinct  bool // made for SELECT DISTINCT: no aggregates
}

// WindowAgg computes window calls that share a partition and order. Its output
// is the input row followed by one column per call.
type WindowAgg struct {
	NodeInfo
	Input  Node // sorted by Partition, Order
	Window *Window
	Calls  []*WindowCall
}

// NestLoop joins by running Right once per left row, with Params set from it.
type NestLoop struct {
	NodeInfo
	Kind        JoinKind
	Left, Right Node
	Params      []SubParam // executor parameters over the left row (lateral, index look-ups)
	Cond        Expr       // over left ++ right
}

// Adaptive joins by Few while Left has at most Limit rows, else by Many. Both yield the same rows, and read those of
// Left through a Replay of the same ID.
type Adaptive struct {
	NodeInfo
	ID              int
	Limit           int
	Left, Few, Many Node
}

// Replay yields the rows of the left side of the Adaptive around it.
type Replay struct {
	NodeInfo
	ID int
}

// HashJoin builds a table on Right and probes with Left. Semi and anti joins
// yield only left columns.
type HashJoin struct {
	NodeInfo
	Kind                JoinKind
	Left, Right         Node
	LeftKeys, RightKeys []Expr // each over its own side's row
	Equal               []*functions.Func
	NullSafe            []bool // IS NOT DISTINCT FROM keys
	Cond                Expr   // further condition over left ++ right, part of the join
}

// MergeJoin joins two inputs that are sorted by their keys.
type MergeJoin struct {
	NodeInfo
	Kind                JoinKind
	Left, Right         Node
	LeftKeys, RightKeys []Expr
	Orders              []SortKey // direction and comparison per key
	Cond                Expr
}

// IndexJoin looks up the right table by storage key or index for batches of
// left rows. Its right columns are those of the lookup.
type IndexJoin struct {
	NodeInfo
	Kind   JoinKind
	Left   Node
	Table  *catalog.Relation
	Index  *catalog.Index // nil: by storage key
	Alias  string
	Attrs  []int
	Keys   []Expr // over the left row; a prefix of the key columns of the index, or the whole storage key
	Filter Expr   // over the right row alone
	Cond   Expr   // over left ++ right
	Lookup []int  // of a system catalog: the attributes that Keys are the values of
	// KeyText is the key columns as EXPLAIN shows them, where they are not all columns.
	KeyText []string
}

// Append yields its inputs one after the other (UNION ALL, inheritance).
type Append struct {
	NodeInfo
	Inputs []Node
}

// SetOperation is INTERSECT or EXCEPT, by hashing whole rows.
type SetOperation struct {
	NodeInfo
	Kind        SetOpKind
	All         bool
	Left, Right Node
	Equal       []*functions.Func
}

// RecursiveUnion runs Base, then Step until it yields nothing; WorkTableScan
// nodes with its ID read the rows of the step before.
type RecursiveUnion struct {
	NodeInfo
	ID         int
	Base, Step Node
	All        bool // UNION ALL; otherwise duplicates are dropped
}

// Materialize keeps its input's rows for rescans.
type Materialize struct {
	NodeInfo
	Input Node
}

// LockRows locks the rows that its input comes from, re-evaluating Recheck for
// rows that changed meanwhile.
type LockRows struct {
	NodeInfo
	Input   Node
	Locks   []LockTarget
	Recheck []RecheckStep
}

// RecheckStep is a part of what a query demands of an input row, evaluated again in order when a
// locked row in it has been replaced by a newer version. The rows of the other tables stay.
type RecheckStep struct {
	// Cond is a condition over the input row. Where it is not true the row is dropped, or, for the
	// condition of an outer join, the columns of its nullable side (Null) become NULL.
	Cond  Expr
	Outer bool
	Null  []int
	// Value, if there is no Cond, is computed again into column Slot.
	Value Expr
	Slot  int
}

// LockTarget is one table of a LockRows or modify node.
type LockTarget struct {
	Table    *catalog.Relation
	Strength LockStrength
	Wait     WaitPolicy
	Key      int // input column holding the storage key (NULL on the nullable side of an outer join)
	// Inherited are the tables below Table; TableOID is the input column that tells the table of a row.
	Inherited []InheritedTable
	TableOID  int
	Attrs     []int // attributes that the input row holds, and
	Slots     []int // where: used to substitute a newer version before Recheck
}

// Modify is INSERT, UPDATE, DELETE or MERGE. Its output columns are Returning.
type Modify struct {
	NodeInfo
	Command Command
	Table   *catalog.Relation
	Alias   string
	Input   Node
	// INSERT: input column i is the value of attribute i (all attributes;
	// dropped ones are NULL); generated columns are computed by the executor.
	// UPDATE, DELETE, MERGE: Target tells where the input row holds the old
	// row (all attributes, in order) and its key. For MERGE the key is NULL
	// where nothing matched.
	Target LockTarget
	// Inherited are the tables whose rows an UPDATE or DELETE of their parent also changes; TableOID is
	// the input column that tells the table of each row.
	Inherited []InheritedTable
	TableOID  int
	// UPDATE: attribute and value over the input row.
	Set     []Assignment
	Recheck []RecheckStep
	// Returning is computed over the new row's attributes (for DELETE the old
	// row's), followed by the input row: Slots < len(Table.Columns) are
	// attributes, then comes the storage key, then the input row's columns.
	Returning  []Expr
	OnConflict *ConflictPlan
	Merge      []*MergePlan
	Checks     []ViewCheck // conditions over the new row's attributes
	Defaults   []column.Datum
}

// InheritedTable is a table that is changed as its parent: Attrs are its attributes for those of the parent,
// -1 for dropped ones.
type InheritedTable struct {
	Table *catalog.Relation
	Attrs []int
}

// Assignment sets an attribute (0-based).
type Assignment struct {
	Attr  int
	Value Expr
}

// ConflictPlan is ON CONFLICT. Set and Where see the existing row's attributes,
// then its key, then the row proposed for insertion.
type ConflictPlan struct {
	Update  bool
	Indexes []OID // arbiters; empty: any
	Set     []Assignment
	Where   Expr
	Visible []ViewCheck // conditions over the existing row, or it is an error
}

// MergePlan is one WHEN clause, over the input row. For Insert, Values has one
// expression per attribute.
type MergePlan struct {
	Matched bool
	Cond    Expr
	Command Command
	Nothing bool
	Set     []Assignment
	Values  []Expr
}

// Children implementations.

// Children implements Node.
func (*Result) Children() []Node { return nil }

// Children implements Node.
func (*Values) Children() []Node { return nil }

// Children implements Node.
func (*Scan) Children() []Node { return nil }

// Children implements Node.
func (*KeyLookup) Children() []Node { return nil }

// Children implements Node.
func (*IndexScan) Children() []Node { return nil }

// Children implements Node.
func (*ItemScan) Children() []Node { return nil }

// Children implements Node.
func (*VirtualScan) Children() []Node { return nil }

// Children implements Node.
func (*FunctionScan) Children() []Node { return nil }

// Children implements Node.
func (*CTEScan) Children() []Node { return nil }

// Children implements Node.
func (*WorkTableScan) Children() []Node { return nil }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *ProjectSet) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Sort) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Unique) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Aggregate) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *WindowAgg) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *NestLoop) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *HashJoin) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *Adaptive) Children() []Node { return []Node{n.Left, n.Few, n.Many} }

// Children implements Node.
func (*Replay) Children() []Node { return nil }

// Children implements Node.
func (n *MergeJoin) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *IndexJoin) Children() []Node { return []Node{n.Left} }

// Children implements Node.
func (n *Append) Children() []Node { return n.Inputs }

// Children implements Node.
func (n *SetOperation) Children() []Node { return []Node{n.Left, n.Right} }

// Children implements Node.
func (n *RecursiveUnion) Children() []Node { return []Node{n.Base, n.Step} }

// Children implements Node.
func (n *Materialize) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *LockRows) Children() []Node { return []Node{n.Input} }

// Children implements Node.
func (n *Modify) Children() []Node { return []Node{n.Input} }
