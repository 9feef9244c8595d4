package plan

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
)

// Command is what a query does.
type Command uint8

// The commands.
const (
	Select Command = iota
	Insert
	Update
	Delete
	Merge
)

// String returns the word that command tags begin with.
func (c Command) String() string {
	return [...]string{"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"}[c]
}

// Query is a bound SELECT, VALUES, INSERT, UPDATE, DELETE or MERGE.
type Query struct {
	Command   Command
	CTEs      []*CTE
	Recursive bool
	Rels      []*Rel     // the range table; Var.Rel is an index into it
	From      []FromItem // the implicit cross product of these
	Where     Expr
	Targets   []*Target

	GroupBy  []SortKey // group clauses; Target is set
	Sets     [][]int   // expanded GROUPING SETS as indexes into GroupBy; nil: plain GROUP BY
	GroupAll bool      // aggregation without GROUP BY: exactly one row
	Having   Expr
	Windows  []*Window

	Distinct   bool
	DistinctOn []SortKey // DISTINCT ON; with Distinct and nil: all columns
	OrderBy    []SortKey
	Limit      Expr
	Offset     Expr
	WithTies   bool
	SetOp      *SetOp // not nil: UNION/INTERSECT/EXCEPT over Rels of kind RelSubquery
	Locks      []RowLock

	HasAggs, HasWindows, HasSubLinks, HasSRF, HasModifyingCTE bool

	// INSERT, UPDATE, DELETE, MERGE:
	Result     int // index into Rels of the table that is changed
	InsertCols []int
	// For INSERT: Targets gives one expression per attribute of the table (all
	// attributes in order, defaults filled in), over From. For UPDATE: Targets
	// lists only assigned attributes, see Target.Attr.
	OnConflict *OnConflict
	Merge      []*MergeAction
	Returning  []*Target
	Overriding byte // INSERT … OVERRIDING: 0, 's' system, 'u' user
	// Checks are WITH CHECK OPTION conditions of updatable views, over the new row (Rels[Result]).
	Checks []ViewCheck
	// Text is the statement's source, for error positions in stored queries.
	Text string

	// What was written, where it says no more than the fields above do.
	GroupShape    []GroupShape // the elements of GROUP BY; nil: plain expressions
	GroupDistinct bool         // GROUP BY DISTINCT
	NamedWindows  []*Window    // the WINDOW clause
	LimitAll      bool         // LIMIT ALL or NULL
	// KeyIndexes are those of the primary keys whose grouping lets other columns of their tables be used.
	KeyIndexes []OID
}

// GroupShape is an element of GROUP BY as written.
type GroupShape struct {
	Kind    GroupKind
	Keys    []int // GroupOf: indexes into Query.GroupBy
	Content []GroupShape
}

// GroupKind is the kind of an element of GROUP BY.
type GroupKind uint8

// The elements of GROUP BY: expressions, none, and what makes several sets of them.
const (
	GroupOf GroupKind = iota
	GroupEmpty
	GroupRollup
	GroupCube
	GroupSets
)

// ViewCheck is one WITH CHECK OPTION condition.
type ViewCheck struct {
	View string
	Cond Expr
}

// Target is an output column, or an assignment.
type Target struct {
	Expr Expr
	Name string
	Junk bool // needed for sorting or grouping, not part of the result
	Attr int  // UPDATE, INSERT: 0-based attribute that is assigned
	// SourceTable and SourceAttr are the origin that RowDescription reports (0 if none).
	SourceTable OID
	SourceAttr  int16
}

// RelKind is the kind of a range-table entry.
type RelKind uint8

// The kinds of range-table entries.
const (
	RelTable RelKind = iota
	RelSubquery
	RelFunction
	RelValues
	RelCTE
	RelResult // no columns, one row
)

// Rel is a range-table entry.
type Rel struct {
	Kind    RelKind
	Alias   string      // the name by which the query refers to it
	Columns []RelColumn // in attribute order; dropped attributes are kept and marked

	Table       *catalog.Relation // RelTable
	Only        bool
	LockMode    uint8 // engine table lock mode that was taken when binding
	TableSample *TableSample

	Query    *Query              // RelSubquery
	Tree     []*catalog.Relation // a table and those that inherit from it, which a subquery stands for (optimizer only)
	Hidden   int                 // trailing columns that are not part of the row (optimizer only)
	Lateral  bool                // may refer to earlier FROM items
	FromView OID                 // the view that this subquery came from
	Security OID                 // role to check privileges as; 0: the current user

	Funcs      []*FuncRef // RelFunction: ROWS FROM has several
	Ordinality bool

	Values [][]Expr // RelValues

	CTE       string // RelCTE
	CTELevel  int    // query levels outward where the CTE is defined
	CTEIndex  int    // index into that query's CTEs
	WorkTable bool   // the recursive reference inside the CTE itself

	// Privileges to check at start: bits of catalog ACL masks and the attributes read and written.
	Required            uint32
	ReadAttrs, SetAttrs []int
	Unstarred           int // columns at the end that * leaves out

	Barrier bool // RelSubquery: a view WITH (security_barrier), whose conditions come before those of who reads it

	Named bool     // the alias was written
	Given []string // the column aliases that were written with it
}

// RelColumn is a column of a range-table entry.
type RelColumn struct {
	Name    string
	Type    Type
	Dropped bool
}

// FuncRef is one function of a FROM item.
type FuncRef struct {
	Expr    Expr // a Call (or any expression)
	Columns int  // how many columns it yields
	Types   []Type
	Names   []string
	Scalar  bool // a plain value rather than a row
	Defined bool // the columns are those of a definition list
}

// TableSample is TABLESAMPLE method(args) [REPEATABLE (seed)].
type TableSample struct {
	Method string // "bernoulli" or "system"
	Args   []Expr
	Seed   Expr
}

// FromItem is *RelRef or *Join.
type FromItem interface{ fromItem() }

// RelRef is a range-table entry in the join tree.
type RelRef struct{ Rel int }

// JoinKind is the kind of a join.
type JoinKind uint8

// The kinds of joins. Semi and Anti come from the optimizer only.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
	// AntiNullJoin is NOT IN: NULLs on either side make the answer unknown.
	AntiNullJoin
	// FirstJoin is a semi join that yields the first match beside the left row, for rows that are
	// looked at again when they have changed. Only plans have it.
	FirstJoin
	// RightSemiJoin and RightAntiJoin yield the right rows that have a match, or have none: the side of which rows are
	// wanted is the smaller one, and is searched by the other. Only hash joins have them.
	RightSemiJoin
	RightAntiJoin
)

// Join joins two items. USING and NATURAL are already turned into On; merged
// columns are Vars or COALESCE calls where they are used.
type Join struct {
	Kind        JoinKind
	Left, Right FromItem
	On          Expr // nil: true
	Using       []string
	Alias       string
	UsingAlias  string   // of the columns of Using
	Given       []string // the column aliases after Alias, as written
}

func (*RelRef) fromItem() {}
func (*Join) fromItem()   {}

// CTE is a WITH query.
type CTE struct {
	Name         string
	Query        *Query
	Columns      []RelColumn
	Recursive    bool // refers to itself: Query.SetOp is the union of base and step
	Materialized byte // 0 by default, 'm' MATERIALIZED, 'n' NOT MATERIALIZED
	RefCount     int
	// SEARCH and CYCLE are expanded by the binder into extra columns; here they are kept as written.
	SearchBy                 []string
	SearchBreadth            bool
	SearchColumn             string
	CycleBy                  []string
	CycleMark, CyclePath     string
	CycleValue, CycleDefault Expr
	Aliases                  []string // the column list after the name, as written
}

// SetOpKind is UNION, INTERSECT or EXCEPT.
type SetOpKind uint8

// The set operations.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// SetOp is a node of a tree of set operations; leaves have Rel ≥ 0 and no children.
type SetOp struct {
	Rel         int // leaf: index into Rels (RelSubquery); -1 for inner nodes
	Kind        SetOpKind
	All         bool
	Left, Right *SetOp
	Types       []Type            // the column types of the result
	Equal, Less []*functions.Func // per column; nil entries cannot be compared (ALL only)
}

// Window is one window definition.
type Window struct {
	Name        string
	PartitionBy []SortKey
	OrderBy     []SortKey
	Frame       Frame
	Base        string // the window that this one extends
	OwnOrder    bool   // OrderBy was written here, not there
}

// FrameMode is ROWS, RANGE or GROUPS.
type FrameMode uint8

// The frame modes.
const (
	RangeFrame FrameMode = iota
	RowsFrame
	GroupsFrame
)

// BoundKind is one end of a frame.
type BoundKind uint8

// The frame bounds.
const (
	UnboundedPreceding BoundKind = iota
	OffsetPreceding
	CurrentRow
	OffsetFollowing
	UnboundedFollowing
)

// Frame is a window frame. In RANGE mode with offsets, StartIn and EndIn are
// the in_range functions (value, base, offset, sub, less) of the sort type.
type Frame struct {
	Mode                   FrameMode
	Start, End             BoundKind
	StartOffset, EndOffset Expr
	StartIn, EndIn         *functions.Func
	Exclude                byte // 0, 'r' current row, 'g' group, 't' ties
	Explicit               bool
	Between                bool // written with both bounds
}

// LockStrength is the strength of a row lock, as in engine.LockMode.
type LockStrength uint8

// The strengths of row locks.
const (
	ForKeyShare LockStrength = iota
	ForShare
	ForNoKeyUpdate
	ForUpdate
)

// WaitPolicy says what to do about a lock that somebody holds.
type WaitPolicy uint8

// The wait policies.
const (
	LockWait WaitPolicy = iota
	LockSkip
	LockNoWait
)

// RowLock is FOR UPDATE and its like on one range-table entry.
type RowLock struct {
	Rel      int
	Strength LockStrength
	Wait     WaitPolicy
	Pushed   bool // applies to a subquery's tables through an outer clause
}

// OnConflict is the ON CONFLICT clause.
type OnConflict struct {
	Update  bool  // false: DO NOTHING
	Indexes []OID // arbiter indexes; empty: any unique index
	// Set assigns attributes; expressions refer to Rels[Query.Result] (the
	// existing row) and to Rels[Excluded].
	Set      []*Target
	Where    Expr
	Excluded int
	// Visible are the conditions that the existing row has to meet: those of the views that it is changed through.
	Visible []ViewCheck
}

// MergeAction is one WHEN clause of MERGE.
type MergeAction struct {
	Matched bool
	Cond    Expr
	Command Command // Update, Delete, Insert
	Nothing bool
	Targets []*Target
}
