// Package catalog holds what the server knows about schemas, tables, types
// and roles. Objects are descriptors: plain structs that are immutable once
// published, stored one per row in an engine store under (database, class,
// oid), read through a Snapshot and changed through a transaction's Overlay.
//
// Expressions inside descriptors (defaults, checks, view queries) are kept as
// the bound tree's versioned encoding, so that they survive renames; this
// package never looks inside them.
package catalog

import "github.com/omendb/omendb/engine/column"

// OID identifies an object. OIDs of built-in objects are PostgreSQL's.
type OID = uint32

// FirstUserOID is the lowest OID given to user objects, as in PostgreSQL.
const FirstUserOID OID = 16384

// Class tells what kind of object a descriptor describes.
type Class uint8

// The classes. Their numbers are stored on disk and never change.
const (
	ClassDatabase  Class = 1
	ClassRole      Class = 2
	ClassSchema    Class = 3
	ClassRelation  Class = 4 // tables, views, materialized views, composite types
	ClassSequence  Class = 5
	ClassType      Class = 6
	ClassFunction  Class = 7
	ClassIndex     Class = 8
	ClassExtension Class = 9
	ClassSetting   Class = 10 // ALTER SYSTEM, ALTER ROLE/DATABASE … SET
	ClassOperator  Class = 11
	ClassAggregate Class = 12
	ClassCast      Class = 13
	ClassCollation Class = 14
	ClassPolicy    Class = 15
)

// ACLItem is one grant: aclitem in PostgreSQL.
type ACLItem struct {
	Grantee, Grantor OID    // grantee 0 is PUBLIC
	Privileges       uint32 // bits as in PostgreSQL's ACL_* masks
	GrantOptions     uint32
}

// Meta is what every object has. Version counts changes of the object; plans
// remember it and are thrown away when it moved.
type Meta struct {
	OID      OID
	Name     string
	Schema   OID // 0 for objects outside schemas
	Owner    OID
	ACL      []ACLItem // nil: the kind's default privileges
	Comment  string
	Version  uint64
	Depends  []Dependency // what this object needs to exist
	Internal bool         // made for another object and dropped with it
}

// Dependency names an object (or a column of one) that another needs.
type Dependency struct {
	Class Class
	OID   OID
	Sub   int16 // attribute number, 0 for the whole object
	Auto  bool  // dropped silently together with the referenced object
}

// Database is a name space of schemas.
type Database struct {
	Meta
	Encoding   string
	Collate    string
	CType      string
	ConnLimit  int32
	AllowConn  bool
	IsTemplate bool
	Settings   []string // name=value of ALTER DATABASE … SET
}

// Schema is a name space of relations, types and functions.
type Schema struct{ Meta }

// Role is a user or group.
type Role struct {
	Meta
	Superuser, Inherit, CreateRole, CreateDB bool
	Login, Replication, BypassRLS            bool
	ConnLimit                                int32
	Verifier                                 string // SCRAM-SHA-256 verifier, empty: no password
	ValidUntil                               int64  // µs since 2000-01-01 UTC, 0: forever
	MemberOf                                 []Membership
	Settings                                 []string
}

// Membership makes a role a member of another.
type Membership struct {
	Role, Grantor OID
	Admin         bool
}

// RelationKind is pg_class.relkind.
type RelationKind byte

// The kinds of relations that are stored under ClassRelation.
const (
	KindTable     RelationKind = 'r'
	KindView      RelationKind = 'v'
	KindMatView   RelationKind = 'm'
	KindComposite RelationKind = 'c'
	KindVirtual   RelationKind = 'V' // a system catalog computed from descriptors; clients see 'r' or 'v'
)

// Relation is a table, a view, a composite type's row, or a system catalog.
type Relation struct {
	Meta
	Kind        RelationKind
	Persistence byte // 'p' permanent, 't' temporary, 'u' unlogged
	RowType     OID  // the composite type of a row
	Columns     []Column
	Constraints []Constraint
	Indexes     []OID    // in order of creation
	StorageKey  []int16  // attribute numbers of the storage key; empty: hidden row id
	Store       uint64   // engine.StoreID, 0 for views
	Query       []byte   // encoded bound query of a view
	QueryText   string   // the view's source, for messages
	Options     []string // reloptions: name=value
	Inherits    []OID
	RowSecurity bool
	ForceRLS    bool
	OnCommit    byte // of temporary tables: 0 preserve, 'd' delete rows, 'D' drop
	Populated   bool // materialized views
	CheckOption byte // of views: 0, 'l' local, 'c' cascaded
	ReplIdent   byte // 'd' default, 'f' full, 'n' nothing, 'i' index
	HiddenRowID bool // rows are keyed by an own growing int64
	Virtual     any  // of KindVirtual: what computes the rows
}

// Column is one attribute. Attribute numbers are 1-based, dense, and never reused.
type Column struct {
	Num       int16
	Name      string
	Type      OID
	Typmod    int32
	Collation OID
	NotNull   bool
	Dropped   bool
	Default   []byte // encoded bound expression; also of generated columns
	Generated byte   // 0 or 's' stored
	Identity  byte   // 0, 'a' always, 'd' by default
	Sequence  OID    // of serial and identity columns
	Missing   column.Datum
	Inherited bool
	ACL       []ACLItem
	Comment   string
	Storage   byte
	StatTgt   int32
}

// Constraint is a table constraint. NOT NULL lives in the column.
type Constraint struct {
	OID        OID
	Name       string
	Kind       byte // 'p' primary key, 'u' unique, 'c' check, 'f' foreign key, 'x' exclusion
	Columns    []int16
	Index      OID    // the index behind 'p', 'u', 'f' (of the referenced table) and 'x'
	Expr       []byte // encoded bound expression of a check
	Validated  bool
	NoInherit  bool
	Deferrable bool
	Deferred   bool
	RefTable   OID
	RefColumns []int16
	OnUpdate   byte // 'a' no action, 'r' restrict, 'c' cascade, 'n' set null, 'd' set default
	OnDelete   byte
	SetColumns []int16 // ON DELETE SET NULL/DEFAULT (columns)
	Match      byte    // 's' simple, 'f' full
	EqualOps   []OID
	Comment    string
}

// Index is a secondary index, or the face of the storage key (Store 0).
type Index struct {
	Meta
	Table            OID
	Method           string // "btree", "hash", "gin"
	Unique           bool
	NullsNotDistinct bool
	Primary          bool
	Immediate        bool // false for deferrable constraints
	Keys             []IndexKey
	Include          []int16
	Predicate        []byte // encoded bound expression of a partial index
	Store            uint64 // engine.StoreID; 0: this index is the storage key itself
	Valid            bool
	Clustered        bool
	Options          []string
	Constraint       OID
}

// IndexKey is one key column of an index.
type IndexKey struct {
	Column     int16  // attribute number, 0 for an expression
	Expr       []byte // encoded bound expression
	Type       OID
	Collation  OID
	OpClass    OID
	Desc       bool
	NullsFirst bool
	Name       string // the index's own attribute name
}

// Sequence is a sequence's definition; its value lives in the engine.
type Sequence struct {
	Meta
	Type                                OID
	Start, Increment, Min, Max, CacheSz int64
	Cycle                               bool
	Persistence                         byte
	OwnerTable                          OID
	OwnerColumn                         int16
	Identity                            bool
	Store                               uint64
}

// Type is a user-defined type.
type Type struct {
	Meta
	Kind       byte // 'e' enum, 'd' domain, 'c' composite, 'r' range, 'b' array of one of these, 'p' shell
	Array      OID  // the array type over this one
	Elem       OID  // of array types
	Labels     []EnumLabel
	Base       OID
	BaseTypmod int32
	NotNull    bool
	Default    []byte
	DefaultTxt string
	Checks     []Constraint
	Collation  OID
	Relation   OID // of composite types
	Category   byte
}

// EnumLabel is one value of an enum. Values are stored by OID and ordered by Order.
type EnumLabel struct {
	OID   OID
	Order float32
	Label string
}

// Function is a user-defined function or procedure.
type Function struct {
	Meta
	Kind        byte // 'f', 'p', 'a', 'w'
	Language    string
	ArgTypes    []OID // input arguments
	AllArgTypes []OID
	ArgModes    []byte
	ArgNames    []string
	Defaults    [][]byte // encoded, for the last arguments
	Variadic    OID
	Returns     OID
	ReturnsSet  bool
	Volatility  byte
	Parallel    byte
	Strict      bool
	SecurityDef bool
	Leakproof   bool
	Cost, Rows  float32
	Source      string
	Body        []byte // encoded bound statements of a SQL-standard body
	Settings    []string
}

// Setting is one stored configuration value. Role and Database 0 mean all.
type Setting struct {
	Meta
	Database, Role OID
	Value          string
}

// Extension is an installed extension.
type Extension struct {
	Meta
	ExtVersion  string
	Relocatable bool
}
