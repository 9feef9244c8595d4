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
	ClassDatabase   Class = 1
	ClassRole       Class = 2
	ClassSchema     Class = 3
	ClassRelation   Class = 4 // tables, views, materialized views, composite types
	ClassSequence   Class = 5
	ClassType       Class = 6
	ClassFunction   Class = 7
	ClassIndex      Class = 8
	ClassExtension  Class = 9
	ClassSetting    Class = 10 // ALTER SYSTEM, ALTER ROLE/DATABASE … SET
	ClassOperator   Class = 11
	ClassAggregate  Class = 12
	ClassCast       Class = 13
	ClassCollation  Class = 14
	ClassPolicy     Class = 15
	ClassStatistic  Class = 16 // what ANALYZE found about a relation; its OID is the relation's
	ClassDefaultACL Class = 17
	ClassBuiltinACL Class = 28 // privileges on built-in functions, types, languages and system catalogs
	ClassSharedACL  Class = 29 // privileges on tablespaces and parameters
)

// ACLItem is one grant: aclitem in PostgreSQL.
type ACLItem struct {
	Grantee      OID    `tag:"1"` // grantee 0 is PUBLIC
	Grantor      OID    `tag:"2"` // grantee 0 is PUBLIC
	Privileges   uint32 `tag:"3"` // bits as in PostgreSQL's ACL_* masks
	GrantOptions uint32 `tag:"4"`
}

// Meta is what every object has. Version counts changes of the object; plans
// remember it and are thrown away when it moved.
type Meta struct {
	OID      OID          `tag:"1"`
	Name     string       `tag:"2"`
	Schema   OID          `tag:"3"` // 0 for objects outside schemas
	Owner    OID          `tag:"4"`
	ACL      []ACLItem    `tag:"5"` // nil: the kind's default privileges
	Comment  string       `tag:"6"`
	Version  uint64       `tag:"7"`
	Depends  []Dependency `tag:"8"` // what this object needs to exist
	Internal bool         `tag:"9"` // made for another object and dropped with it
}

// Dependency names an object (or a column of one) that another needs.
type Dependency struct {
	Class Class `tag:"1"`
	OID   OID   `tag:"2"`
	Sub   int16 `tag:"3"` // attribute number, 0 for the whole object
	Auto  bool  `tag:"4"` // dropped silently together with the referenced object
}

// Database is a name space of schemas.
type Database struct {
	Meta       `tag:"1"`
	Encoding   string   `tag:"2"`
	Collate    string   `tag:"3"`
	CType      string   `tag:"4"`
	ConnLimit  int32    `tag:"5"`
	AllowConn  bool     `tag:"6"`
	IsTemplate bool     `tag:"7"`
	Settings   []string `tag:"8"` // name=value of ALTER DATABASE … SET
}

// Schema is a name space of relations, types and functions.
type Schema struct {
	Meta `tag:"1"`
}

// Role is a user or group.
type Role struct {
	Meta        `tag:"1"`
	Superuser   bool         `tag:"2"`
	Inherit     bool         `tag:"3"`
	CreateRole  bool         `tag:"4"`
	CreateDB    bool         `tag:"5"`
	Login       bool         `tag:"6"`
	Replication bool         `tag:"7"`
	BypassRLS   bool         `tag:"8"`
	ConnLimit   int32        `tag:"9"`
	Verifier    string       `tag:"10"` // SCRAM-SHA-256 verifier, empty: no password
	ValidUntil  int64        `tag:"11"` // µs since 2000-01-01 UTC, 0: forever
	MemberOf    []Membership `tag:"12"`
	Settings    []string     `tag:"13"`
}

// Membership makes a role a member of another.
type Membership struct {
	Role    OID  `tag:"1"`
	Grantor OID  `tag:"2"`
	Admin   bool `tag:"3"`
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
	Meta        `tag:"1"`
	Kind        RelationKind `tag:"2"`
	Persistence byte         `tag:"3"` // 'p' permanent, 't' temporary, 'u' unlogged
	RowType     OID          `tag:"4"` // the composite type of a row
	Columns     []Column     `tag:"5"`
	Constraints []Constraint `tag:"6"`
	Indexes     []OID        `tag:"7"`  // in order of creation
	StorageKey  []int16      `tag:"8"`  // attribute numbers of the storage key; empty: hidden row id
	Store       uint64       `tag:"9"`  // engine.StoreID, 0 for views
	Query       []byte       `tag:"10"` // encoded bound query of a view
	QueryText   string       `tag:"11"` // the view's source, for messages
	Options     []string     `tag:"12"` // reloptions: name=value
	Inherits    []OID        `tag:"13"`
	OnCommit    byte         `tag:"16"` // of temporary tables: 0 preserve, 'd' delete rows, 'D' drop
	Populated   bool         `tag:"17"` // materialized views
	ReplIdent   byte         `tag:"19"` // 'd' default, 'f' full, 'n' nothing, 'i' index
	HiddenRowID bool         `tag:"20"` // rows are keyed by an own growing int64
	// Extended are the statistics objects on the table.
	Extended  []ExtendedStatistic `tag:"21"`
	ReplIndex OID                 `tag:"22"` // of ReplIdent 'i'
	Virtual   any                 `tag:"-"`  // of KindVirtual: what computes the rows
}

// Column is one attribute. Attribute numbers are 1-based, dense, and never reused.
type Column struct {
	Num         int16        `tag:"1"`
	Name        string       `tag:"2"`
	Type        OID          `tag:"3"`
	Typmod      int32        `tag:"4"`
	Collation   OID          `tag:"5"`
	NotNull     bool         `tag:"6"`
	Dropped     bool         `tag:"7"`
	Default     []byte       `tag:"8"`  // encoded bound expression; also of generated columns
	Generated   byte         `tag:"9"`  // 0 or 's' stored
	Identity    byte         `tag:"10"` // 0, 'a' always, 'd' by default
	Sequence    OID          `tag:"11"` // of serial and identity columns
	Missing     column.Datum `tag:"12"`
	Inherited   bool         `tag:"13"`
	ACL         []ACLItem    `tag:"14"`
	Comment     string       `tag:"15"`
	Storage     byte         `tag:"16"`
	StatTgt     int32        `tag:"17"`
	Depends     []Dependency `tag:"18"`
	HasMissing  bool         `tag:"19"` // rows older than the column read as Missing rather than NULL
	Local       bool         `tag:"21"` // of inherited columns: also declared by the table itself
	DroppedKind uint8        `tag:"20"` // of dropped columns: the column.Kind of what is stored
	Options     []string     `tag:"22"` // name=value
	Compression byte         `tag:"23"` // 'p' or 'l' as declared, for dumps: what is stored has its own encodings
	Dims        int16        `tag:"24"` // pairs of brackets in the declaration; they mean nothing
}

// Constraint is a table constraint. NOT NULL lives in the column.
type Constraint struct {
	OID        OID          `tag:"1"`
	Name       string       `tag:"2"`
	Kind       byte         `tag:"3"` // 'p' primary key, 'u' unique, 'c' check, 'f' foreign key, 'x' exclusion
	Columns    []int16      `tag:"4"`
	Index      OID          `tag:"5"` // the index behind 'p', 'u', 'f' (of the referenced table) and 'x'
	Expr       []byte       `tag:"6"` // encoded bound expression of a check
	Validated  bool         `tag:"7"`
	NoInherit  bool         `tag:"8"`
	Deferrable bool         `tag:"9"`
	Deferred   bool         `tag:"10"`
	RefTable   OID          `tag:"11"`
	RefColumns []int16      `tag:"12"`
	OnUpdate   byte         `tag:"13"` // 'a' no action, 'r' restrict, 'c' cascade, 'n' set null, 'd' set default
	OnDelete   byte         `tag:"14"`
	SetColumns []int16      `tag:"15"` // ON DELETE SET NULL/DEFAULT (columns)
	Match      byte         `tag:"16"` // 's' simple, 'f' full
	EqualOps   []OID        `tag:"17"`
	Comment    string       `tag:"18"`
	Depends    []Dependency `tag:"19"`
	Inherited  bool         `tag:"20"`
	Local      bool         `tag:"21"` // of inherited ones: also the table's own
}

// Index is a secondary index, or the face of the storage key (Store 0).
type Index struct {
	Meta             `tag:"1"`
	Table            OID        `tag:"2"`
	Method           string     `tag:"3"` // "btree", "hash", "gin"
	Unique           bool       `tag:"4"`
	NullsNotDistinct bool       `tag:"5"`
	Primary          bool       `tag:"6"`
	Immediate        bool       `tag:"7"` // false for deferrable constraints
	Keys             []IndexKey `tag:"8"`
	Include          []int16    `tag:"9"`
	Predicate        []byte     `tag:"10"` // encoded bound expression of a partial index
	Store            uint64     `tag:"11"` // engine.StoreID; 0: this index is the storage key itself
	Valid            bool       `tag:"12"`
	Clustered        bool       `tag:"13"`
	Options          []string   `tag:"14"`
	Constraint       OID        `tag:"15"`
	NotReady         bool       `tag:"16"` // writers need not maintain it: see View.Build
	Retain           int16      `tag:"17"` // the table's retention column, which stands behind Include in the store; 0: none
}

// IndexKey is one key column of an index.
type IndexKey struct {
	Column     int16  `tag:"1"` // attribute number, 0 for an expression
	Expr       []byte `tag:"2"` // encoded bound expression
	Type       OID    `tag:"3"`
	Collation  OID    `tag:"4"`
	OpClass    OID    `tag:"5"`
	Desc       bool   `tag:"6"`
	NullsFirst bool   `tag:"7"`
	Name       string `tag:"8"`  // the index's own attribute name
	Declared   OID    `tag:"9"`  // the collation that was asked for, where Collation is that of an operator class
	StatTgt    int32  `tag:"10"` // 0: the default
}

// Sequence is a sequence's definition; its value lives in the engine.
type Sequence struct {
	Meta        `tag:"1"`
	Type        OID    `tag:"2"`
	Start       int64  `tag:"3"`
	Increment   int64  `tag:"4"`
	Min         int64  `tag:"5"`
	Max         int64  `tag:"6"`
	CacheSz     int64  `tag:"7"`
	Cycle       bool   `tag:"8"`
	Persistence byte   `tag:"9"`
	OwnerTable  OID    `tag:"10"`
	OwnerColumn int16  `tag:"11"`
	Identity    bool   `tag:"12"`
	Store       uint64 `tag:"13"`
}

// Type is a user-defined type.
type Type struct {
	Meta       `tag:"1"`
	Kind       byte         `tag:"2"` // 'e' enum, 'd' domain, 'c' composite, 'r' range, 'b' array of one of these, 'p' shell
	Array      OID          `tag:"3"` // the array type over this one
	Elem       OID          `tag:"4"` // of array types
	Labels     []EnumLabel  `tag:"5"`
	Base       OID          `tag:"6"`
	BaseTypmod int32        `tag:"7"`
	NotNull    bool         `tag:"8"`
	Default    []byte       `tag:"9"`
	DefaultTxt string       `tag:"10"`
	Checks     []Constraint `tag:"11"`
	Collation  OID          `tag:"12"`
	Relation   OID          `tag:"13"` // of composite types
	Category   byte         `tag:"14"`
}

// EnumLabel is one value of an enum. Values are stored by OID and ordered by Order.
type EnumLabel struct {
	OID   OID     `tag:"1"`
	Order float32 `tag:"2"`
	Label string  `tag:"3"`
	Added uint64  `tag:"4"` // of values that ALTER TYPE added: the transaction that did
}

// Function is a user-defined function or procedure.
type Function struct {
	Meta        `tag:"1"`
	Kind        byte      `tag:"2"` // 'f', 'p', 'a', 'w'
	Language    string    `tag:"3"`
	ArgTypes    []OID     `tag:"4"` // input arguments
	AllArgTypes []OID     `tag:"5"`
	ArgModes    []byte    `tag:"6"`
	ArgNames    []string  `tag:"7"`
	Defaults    [][]byte  `tag:"8"` // encoded, for the last arguments
	Variadic    OID       `tag:"9"`
	Returns     OID       `tag:"10"`
	ReturnsSet  bool      `tag:"11"`
	Volatility  byte      `tag:"12"`
	Parallel    byte      `tag:"13"`
	Strict      bool      `tag:"14"`
	SecurityDef bool      `tag:"15"`
	Leakproof   bool      `tag:"16"`
	Cost        float32   `tag:"17"`
	Rows        float32   `tag:"18"`
	Source      string    `tag:"19"`
	Body        []byte    `tag:"20"` // encoded bound statements of a SQL-standard body
	Settings    []string  `tag:"21"`
	Aggregate   Aggregate `tag:"22"` // of Kind 'a'
}

// Noun is what messages call a function of its kind.
func (f *Function) Noun() string {
	switch f.Kind {
	case 'a':
		return "aggregate"
	case 'p':
		return "procedure"
	}
	return "function"
}

// Aggregate is how a user-defined aggregate computes: a row of pg_aggregate.
type Aggregate struct {
	Kind       byte   `tag:"1"` // 'n' normal, 'o' ordered-set, 'h' hypothetical-set
	DirectArgs int16  `tag:"2"`
	TransFn    OID    `tag:"3"`
	FinalFn    OID    `tag:"4"`
	CombineFn  OID    `tag:"5"`
	TransType  OID    `tag:"6"`
	FinalExtra bool   `tag:"7"` // the final function gets NULLs for the aggregated arguments, to tell their types
	HasInit    bool   `tag:"8"`
	InitVal    string `tag:"9"`
	SortOp     OID    `tag:"10"`
}

// Setting is one stored configuration value. Role and Database 0 mean all.
type Setting struct {
	Meta     `tag:"1"`
	Database OID    `tag:"2"`
	Role     OID    `tag:"3"`
	Value    string `tag:"4"`
}

// Extension is an installed extension.
type Extension struct {
	Meta        `tag:"1"`
	ExtVersion  string `tag:"2"`
	Relocatable bool   `tag:"3"`
	Target      OID    `tag:"4"` // the schema that its objects are in
}

// Statistic is what ANALYZE found about a relation when it last ran. Its OID is
// the relation's own.
type Statistic struct {
	Meta     `tag:"1"`
	Rows     float64           `tag:"2"`
	Bytes    int64             `tag:"3"`
	Columns  []ColumnStatistic `tag:"4"`
	Analyzed int64             `tag:"5"` // µs since 2000-01-01 UTC
	Groups   []GroupStatistic  `tag:"6"`
}

// ColumnStatistic describes the values of one column: a row of pg_stats.
type ColumnStatistic struct {
	Num         int16          `tag:"1"`
	NullFrac    float64        `tag:"2"`
	Width       float64        `tag:"3"` // average bytes of a value that is not NULL
	Distinct    float64        `tag:"4"` // negative: as a fraction of the rows
	Common      []column.Datum `tag:"5"` // most common values, most frequent first
	Frequency   []float64      `tag:"6"` // the fraction of rows with each of Common
	Histogram   []column.Datum `tag:"7"` // bounds of buckets of equal size, without Common
	Correlation float64        `tag:"8"` // between the order of values and of storage keys
}

// DefaultACL is ALTER DEFAULT PRIVILEGES for one role, schema (0: all) and kind of object.
type DefaultACL struct {
	Meta `tag:"1"`
	Role OID  `tag:"2"`
	Kind byte `tag:"3"` // 'r' tables, 'S' sequences, 'f' functions, 'T' types, 'n' schemas
}
