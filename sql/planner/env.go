package planner

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/types"
)

// OID identifies a catalog object.
type OID = catalog.OID

// Catalog is what the planner asks of the catalog. Every method returns nil
// when there is no such object. Built-in types and functions are not its affair,
// except for the rows of system catalogs, which are relations like any other.
type Catalog interface {
	Relation(oid OID) *catalog.Relation
	Children(oid OID) []*catalog.Relation
	RelationByName(schema OID, name string) *catalog.Relation
	Index(oid OID) *catalog.Index
	Sequence(oid OID) *catalog.Sequence
	SequenceByName(schema OID, name string) *catalog.Sequence
	Type(oid OID) *catalog.Type
	TypeByName(schema OID, name string) *catalog.Type
	Function(oid OID) *catalog.Function
	FunctionsByName(schema OID, name string) []*catalog.Function
	Schema(oid OID) *catalog.Schema
	SchemaByName(name string) *catalog.Schema
	Role(oid OID) *catalog.Role
	RoleByName(name string) *catalog.Role
	ObjectVersion(class catalog.Class, oid OID) uint64
	Restricted(function OID) bool // whether calls of a built-in function have to be checked
}

// Env is the world in which one statement is bound and planned.
type Env struct {
	Catalog    Catalog
	SearchPath []OID // effective: temporary schema, pg_catalog first unless listed, then the listed schemas that exist
	Types      *types.Env
	User       OID
	Database   string // the current database's name, which may qualify table names
	// Late is told of computations of constants that fail. Without it they fail
	// the planning. A statement that is only prepared is not refused for them.
	Late      func(error)
	Functions *functions.Ctx // to evaluate constants; may be nil
	// Evaluate computes an expression of constants, so that it can be folded. May be nil.
	Evaluate func(plan.Expr) (column.Datum, error)
	// LockRelation takes a table lock (mode 1 to 8) as soon as a name is resolved. It
	// reports whether the catalog moved meanwhile, so that the name is resolved again. May be nil.
	LockRelation func(oid OID, mode uint8) (moved bool, err error)
	// UseSchema refuses schemas that the user may not look into, where a name says which. May be nil.
	UseSchema func(*catalog.Schema) error
	// Prepared returns what EXECUTE of a name runs.
	Prepared   func(name string) (params []OID, query *plan.Query, err error)
	Statistics Statistics
	Settings   Settings
	Params     []OID // declared parameter types (0 or unknown: infer); positions beyond are inferred, too
}

// Settings are the planner's knobs. None of them may change a row of a result.
type Settings struct {
	DisabledRules []string // names of rewrite rules that are switched off
	NoLearned     bool     // omen.learned = off
	WorkMem       int64    // bytes
	NoSeqScan     bool     // enable_seqscan = off, and so on
	NoIndexScan   bool
	NoIndexOnly   bool
	NoHashJoin    bool
	NoMergeJoin   bool
	NoNestLoop    bool
	NoHashAgg     bool
	NoSort        bool
	NoMaterial    bool
	NoBodyCheck   bool // check_function_bodies = off
}

// Bound is a bound statement: exactly one of Query and Utility is set.
type Bound struct {
	Query   *plan.Query
	Utility plan.Utility
	Params  []OID                // types of the statement's parameters
	Objects []plan.ObjectVersion // what the binding depends on
}
