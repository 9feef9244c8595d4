package plan

import (
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
)

// Utility is a bound statement other than SELECT, INSERT, UPDATE, DELETE and
// MERGE. Names are resolved as far as they can be before the statement runs;
// objects that must exist are looked up by the executor after it took the locks.
type Utility interface {
	// Tag returns the command tag, for example "CREATE TABLE".
	Tag() string
}

// QName is a possibly qualified name; Schema is empty when not given. Positions in
// utility statements are those of errors: characters from 1, 0 for none.
type QName struct {
	Schema, Name string
	Pos          int
}

// String returns the name as messages show it: unquoted.
func (n QName) String() string {
	if n.Schema != "" {
		return n.Schema + "." + n.Name
	}
	return n.Name
}

// TypeName is a type as written, resolved when the statement is bound.
type TypeName struct {
	Type   Type
	Serial string // "int2", "int4" or "int8" for smallserial, serial, bigserial
}

// ColumnDef is a column of CREATE TABLE or ADD COLUMN. Default and Generated
// are bound against the new table's columns by the executor through the
// binder's BindColumnExpr, so they stay as source trees here.
type ColumnDef struct {
	Name        string
	Type        TypeName
	Collation   OID
	NotNull     bool
	Default     RawExpr
	Generated   RawExpr
	Identity    byte // 0, 'a', 'd'
	SeqOptions  []Option
	Constraints []*ConstraintDef
	Storage     string
	Compression string
	Dims        int // pairs of brackets behind the type's name
	Pos         int
}

// RawExpr is an unbound expression in the parser's form; only the binder looks inside.
type RawExpr any

// ConstraintDef is a table or column constraint as written.
type ConstraintDef struct {
	Kind             byte // as catalog.Constraint.Kind, 'n' NOT NULL
	Name             string
	Columns          []string
	Include          []string
	Check            RawExpr
	UsingIndex       string
	RefTable         QName
	RefColumns       []string
	OnUpdate         byte
	OnDelete         byte
	SetColumns       []string
	Match            byte
	Deferrable       bool
	Deferred         bool
	NotValid         bool
	NoInherit        bool
	NullsNotDistinct bool
	Options          []Option
	Exclusion        []ExclusionElem
	Method           string
	Where            RawExpr
	Pos              int
	Added            bool // by ALTER TABLE
}

// ExclusionElem is one element of EXCLUDE (…).
type ExclusionElem struct {
	Elem     IndexElem
	Operator string
}

// Option is name = value of WITH (…), COPY and sequence options. Value is nil,
// a string, an int64, a float64, a bool or a []string.
type Option struct {
	Namespace, Name string
	Value           any
	Pos             int
}

// CreateTable is CREATE TABLE, also LIKE and INHERITS. For CREATE TABLE AS see CreateTableAs.
type CreateTable struct {
	Name        QName
	Persistence byte
	IfNotExists bool
	Columns     []*ColumnDef
	Constraints []*ConstraintDef
	Like        []LikeClause
	Inherits    []QName
	Options     []Option
	OnCommit    byte
	OfType      *QName
	// Order interleaves Columns ('c') and Like ('l') as written.
	Order []byte
}

// LikeClause is LIKE table INCLUDING ….
type LikeClause struct {
	Table   QName
	Options uint32 // bits of PostgreSQL's CREATE_TABLE_LIKE_*
}

// UpdateStatistics is UPDATE pg_class SET reltuples = …, relpages = …: the query yields the OIDs of relations and their new
// values, in this order.
type UpdateStatistics struct{ Query *Query }

// CreateStatistics is CREATE STATISTICS. An element is a column or an expression.
type CreateStatistics struct {
	Name        QName
	Table       QName
	IfNotExists bool
	Kinds       []string
	Elements    []IndexElem
}

// AlterStatistics is ALTER STATISTICS … SET STATISTICS.
type AlterStatistics struct {
	Name     QName
	Target   int64
	IfExists bool
}

// CreateTableAs is CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW.
type CreateTableAs struct {
	Name         QName
	Persistence  byte
	IfNotExists  bool
	Materialized bool
	Columns      []string
	Options      []Option
	OnCommit     byte
	Query        *Query
	Execute      *Execute // CREATE TABLE AS EXECUTE
	WithData     bool
	Text         string
	SelectInto   bool
}

// CreateView is CREATE [OR REPLACE] VIEW.
type CreateView struct {
	Name        QName
	Persistence byte
	Replace     bool
	Columns     []string
	Query       *Query
	Options     []Option
	Check       byte // 0, 'l', 'c'
	Text        string
}

// RefreshMatView is REFRESH MATERIALIZED VIEW.
type RefreshMatView struct {
	Name         QName
	Concurrently bool
	WithData     bool
}

// IndexElem is a key of CREATE INDEX.
type IndexElem struct {
	Column     string
	Expr       RawExpr
	Collation  OID // 0: the column's or expression's
	OpClass    string
	Desc       bool
	NullsFirst bool
	NullsSet   bool
}

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	Name             string
	Table            QName
	Method           string
	Unique           bool
	NullsNotDistinct bool
	Concurrently     bool
	IfNotExists      bool
	Keys             []IndexElem
	Include          []string
	Where            RawExpr
	Options          []Option
}

// CreateSchema is CREATE SCHEMA; Elements are the statements inside.
type CreateSchema struct {
	Name        string
	Owner       string
	IfNotExists bool
	Elements    []RawExpr
}

// CreateSequence and AlterSequence carry sequence options.
type CreateSequence struct {
	Name        QName
	Persistence byte
	IfNotExists bool
	Options     []Option
}

// AlterSequence is ALTER SEQUENCE with sequence options.
type AlterSequence struct {
	Name     QName
	IfExists bool
	Options  []Option
}

// CreateEnum is CREATE TYPE … AS ENUM.
type CreateEnum struct {
	Name   QName
	Labels []string
}

// AlterEnum adds or renames a label.
type AlterEnum struct {
	Name             QName
	Old, New         string
	Neighbor         string
	Before, IfExists bool
}

// CreateComposite is CREATE TYPE … AS (…).
type CreateComposite struct {
	Name    QName
	Columns []*ColumnDef
}

// CreateDomain is CREATE DOMAIN.
type CreateDomain struct {
	Name        QName
	Type        TypeName
	Collation   OID
	Default     RawExpr
	Constraints []*ConstraintDef
}

// CreateFunction is CREATE [OR REPLACE] FUNCTION or PROCEDURE.
type CreateFunction struct {
	Name      QName
	Replace   bool
	Procedure bool
	Args      []FunctionArg
	Returns   *TypeName
	Set       bool
	Options   []Option
	Settings  []*Set // SET clauses: in force while the function runs
	Body      RawExpr
	Text      string // of the whole query, which the places of errors refer to
}

// CreateAggregate is CREATE [OR REPLACE] AGGREGATE. Function is complete but for its OID,
// schema and owner.
type CreateAggregate struct {
	Name     QName
	Replace  bool
	Function *catalog.Function
	Warnings []*pgerr.Error
}

// FunctionArg is a parameter of CREATE FUNCTION.
type FunctionArg struct {
	Name    string
	Mode    byte // 'i', 'o', 'b', 'v', 't'
	Type    TypeName
	Default RawExpr
}

// ObjectKind names the kind of object that DROP, COMMENT, RENAME, OWNER and GRANT speak of.
type ObjectKind string

// ObjectRef names an object. Column, Args and Table are used by the kinds that need them.
type ObjectRef struct {
	Name   QName
	Sub    string // column, constraint, trigger, policy or rule name
	Args   []TypeName
	HasArg bool
	Pos    int
}

// AlterFunction is ALTER FUNCTION with function options.
type AlterFunction struct {
	Kind     ObjectKind
	Function ObjectRef
	Options  []Option
	Settings []*Set
}

// AlterDomain is ALTER DOMAIN; the actions are those of ALTER TABLE.
type AlterDomain struct {
	Name    QName
	Command *AlterCommand
}

// Drop is DROP of any kind: "table", "view", "materialized view", "index",
// "sequence", "schema", "type", "domain", "function", "procedure", "database",
// "role", "extension", ….
type Drop struct {
	Kind         ObjectKind
	Objects      []ObjectRef
	IfExists     bool
	Cascade      bool
	Concurrently bool
}

// Truncate is TRUNCATE.
type Truncate struct {
	Tables          []QName
	Only            []bool
	RestartIdentity bool
	Cascade         bool
}

// AlterTable is ALTER TABLE/VIEW/INDEX/SEQUENCE … with its subcommands in order.
type AlterTable struct {
	Kind     ObjectKind
	Name     QName
	Only     bool
	IfExists bool
	Commands []*AlterCommand
}

// AlterCommand is one subcommand. Action is PostgreSQL's AlterTableType in
// lower case without "AT_": "add_column", "drop_column", "column_default",
// "set_not_null", "drop_not_null", "alter_column_type", "add_constraint",
// "drop_constraint", "validate_constraint", "alter_constraint", "change_owner", "set_rel_options",
// "add_identity", "cluster_on", "enable_row_security", ….
type AlterCommand struct {
	Action     string
	Name       string
	Num        int16
	Column     *ColumnDef
	Constraint *ConstraintDef
	Expr       RawExpr
	Options    []Option
	Role       string
	Table      QName
	Cascade    bool
	Missing    bool // IF [NOT] EXISTS
	Inherited  bool // done because it was done to a parent
	Pos        int
}

// Rename is ALTER … RENAME.
type Rename struct {
	Kind      ObjectKind // "table", "column", "constraint", …
	Of        ObjectKind // whose column it is, as written
	Object    ObjectRef
	Old, New  string
	IfExists  bool
	Only      bool
	Inherited bool // done because it was done to a parent
	Cascade   bool
}

// SetSchema is ALTER … SET SCHEMA.
type SetSchema struct {
	Kind     ObjectKind
	Object   ObjectRef
	Schema   string
	IfExists bool
}

// SetOwner is ALTER … OWNER TO.
type SetOwner struct {
	Kind   ObjectKind
	Object ObjectRef
	Owner  string
}

// CommentOn is COMMENT ON. A nil comment removes it.
type CommentOn struct {
	Kind    ObjectKind
	Object  ObjectRef
	Comment *string
}

// Grant is GRANT or REVOKE of privileges on objects.
type Grant struct {
	Revoke      bool
	Kind        ObjectKind
	AllInSchema bool
	Objects     []ObjectRef
	Privileges  []GrantPrivilege // empty: ALL
	Grantees    []string         // "" is PUBLIC
	GrantOption bool
	GrantedBy   string
	Cascade     bool
}

// GrantPrivilege is a privilege and its columns.
type GrantPrivilege struct {
	Name    string
	Columns []string
}

// GrantRole is GRANT role TO role.
type GrantRole struct {
	Revoke    bool
	Roles     []string
	Members   []string
	Admin     bool
	GrantedBy string
	Cascade   bool
}

// CreateRole and AlterRole carry role options.
type CreateRole struct {
	Name    string
	User    bool
	Options []Option
}

// AlterRole is ALTER ROLE … options, or SET/RESET when Set is not nil.
type AlterRole struct {
	Name     string // empty: ALL
	Options  []Option
	Set      *Set
	Database string
}

// CreateDatabase is CREATE DATABASE.
type CreateDatabase struct {
	Name    string
	Options []Option
}

// AlterDatabase is ALTER DATABASE … options or SET/RESET.
type AlterDatabase struct {
	Name    string
	Options []Option
	Set     *Set
}

// CreateExtension is CREATE EXTENSION.
type CreateExtension struct {
	Name        string
	IfNotExists bool
	Options     []Option
}

// Transaction is BEGIN, COMMIT, SAVEPOINT and their like. Kind: "begin",
// "commit", "rollback", "savepoint", "release", "rollback to", "prepare",
// "commit prepared", "rollback prepared".
type Transaction struct {
	Kind    string
	Name    string   // savepoint or gid
	Options []Option // isolation level, read only, deferrable
	Chain   bool
	Start   bool // START TRANSACTION
}

// Set is SET, RESET and SET TRANSACTION. Values nil with Default means DEFAULT.
type Set struct {
	Name        string
	Values      []string
	Quoted      []bool // whether the value was written as a string
	Default     bool
	Reset       bool
	All         bool
	Local       bool
	System      bool // ALTER SYSTEM
	FromCurrent bool
	Options     []Option // of SET TRANSACTION and SET SESSION CHARACTERISTICS
	Snapshot    *string  // SET TRANSACTION SNAPSHOT
}

// Show is SHOW.
type Show struct{ Name string }

// Explain is EXPLAIN. Exactly one of Query and Statement is set.
type Explain struct {
	Options   []Option
	Query     *Query
	Statement Utility // CREATE TABLE AS, EXECUTE, DECLARE
}

// Prepare is PREPARE; Raw is the statement to bind with Types.
type Prepare struct {
	Name  string
	Types []OID
	Raw   RawExpr
	Text  string
}

// Execute is EXECUTE.
type Execute struct {
	Name string
	Args []RawExpr
}

// Deallocate is DEALLOCATE; an empty name is ALL.
type Deallocate struct{ Name string }

// DeclareCursor is DECLARE … CURSOR.
type DeclareCursor struct {
	Name                           string
	Query                          *Query
	Binary, Scroll, NoScroll, Hold bool
	Insensitive                    bool
	Text                           string
	Locks                          bool // it has FOR UPDATE or its like
	// Visible is how many columns of the query are the client's. Behind them stand those that WHERE CURRENT OF needs, of
	// each table in Current: tableoid, ctid and the columns of the storage key.
	Visible int
	Current []CursorRow
}

// CursorRow is a table whose rows a cursor stands on, and the first of its columns behind the visible ones.
type CursorRow struct {
	Table OID
	First int
}

// Fetch is FETCH or MOVE.
type Fetch struct {
	Cursor    string
	Direction byte // 'f' forward, 'b' backward, 'a' absolute, 'r' relative
	Count     int64
	All       bool
	Move      bool
}

// CloseCursor is CLOSE; an empty name is ALL.
type CloseCursor struct{ Name string }

// Copy is COPY. For COPY TO of a query, Query is set; Program and server-side
// files are refused by privilege or policy of the executor.
type Copy struct {
	Table   *catalog.Relation
	Name    QName
	Columns []string
	Query   *Query
	From    bool
	Stdio   bool
	File    string
	Program bool
	Options []Option
	Where   RawExpr
	Bound   Expr // Where, bound over the table's columns as Rels[0]
}

// Vacuum is VACUUM or ANALYZE.
type Vacuum struct {
	Analyze bool // ANALYZE rather than VACUUM
	Tables  []QName
	Columns [][]string
	Options []Option
}

// LockTable is LOCK TABLE.
type LockTable struct {
	Tables []QName
	Only   []bool
	Mode   uint8 // engine.TableLockMode, 1 (ACCESS SHARE) to 8 (ACCESS EXCLUSIVE)
	NoWait bool
}

// SetConstraints is SET CONSTRAINTS; nil names mean ALL.
type SetConstraints struct {
	Names    []QName
	Deferred bool
}

// Discard is DISCARD ALL/PLANS/SEQUENCES/TEMP.
type Discard struct{ What string }

// Notify, Listen and Unlisten are the asynchronous notification commands.
type Notify struct{ Channel, Payload string }

// Listen is LISTEN.
type Listen struct{ Channel string }

// Unlisten is UNLISTEN; an empty channel is *.
type Unlisten struct{ Channel string }

// Checkpoint is CHECKPOINT.
type Checkpoint struct{}

// Reindex is REINDEX.
type Reindex struct {
	Kind         ObjectKind
	Name         QName
	Concurrently bool
}

// Cluster is CLUSTER.
type Cluster struct {
	Table QName
	Index string
}

// CallProcedure is CALL of a procedure.
type CallProcedure struct {
	Query  *Query
	Output bool // there are OUT parameters, of which the query makes one row
}

// ReassignOwned and DropOwned move or drop what roles own.
type ReassignOwned struct {
	Roles   []string
	NewRole string
}

// DropOwned is DROP OWNED BY.
type DropOwned struct {
	Roles   []string
	Cascade bool
}

// DefaultPrivileges is ALTER DEFAULT PRIVILEGES.
type DefaultPrivileges struct {
	Roles, Schemas []string
	Action         *Grant
}
