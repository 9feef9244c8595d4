package catalog

// The privileges of ACLItem, PostgreSQL's ACL_* bits.
const (
	ACLInsert      uint32 = 1 << 0
	ACLSelect      uint32 = 1 << 1
	ACLUpdate      uint32 = 1 << 2
	ACLDelete      uint32 = 1 << 3
	ACLTruncate    uint32 = 1 << 4
	ACLReferences  uint32 = 1 << 5
	ACLTrigger     uint32 = 1 << 6
	ACLExecute     uint32 = 1 << 7
	ACLUsage       uint32 = 1 << 8
	ACLCreate      uint32 = 1 << 9
	ACLCreateTemp  uint32 = 1 << 10
	ACLConnect     uint32 = 1 << 11
	ACLSet         uint32 = 1 << 12
	ACLAlterSystem uint32 = 1 << 13
)

// The privileges that ALL means, by kind of object.
const (
	ACLAllTable    = ACLInsert | ACLSelect | ACLUpdate | ACLDelete | ACLTruncate | ACLReferences | ACLTrigger
	ACLAllColumn   = ACLInsert | ACLSelect | ACLUpdate | ACLReferences
	ACLAllSequence = ACLUsage | ACLSelect | ACLUpdate
	ACLAllDatabase = ACLCreate | ACLCreateTemp | ACLConnect
	ACLAllSchema   = ACLUsage | ACLCreate
	ACLAllFunction = ACLExecute
	ACLAllType     = ACLUsage

	ACLAllParameter = ACLSet | ACLAlterSystem
)

// DefaultPrivileges returns the privileges that an object has while nothing was granted
// or revoked on it: everything for its owner, and what PostgreSQL gives to PUBLIC.
func DefaultPrivileges(o Object) []ACLItem {
	var owner, public uint32
	switch o := o.(type) {
	case *BuiltinACL:
		return o.builtinDefaults()
	case *Relation:
		owner = ACLAllTable
	case *Sequence:
		owner = ACLAllSequence
	case *Database:
		owner, public = ACLAllDatabase, ACLCreateTemp|ACLConnect
	case *Schema:
		owner = ACLAllSchema
	case *Function:
		owner, public = ACLAllFunction, ACLExecute
	case *Type:
		owner, public = ACLAllType, ACLUsage
	}
	var list []ACLItem
	id := o.Head().Owner
	if public != 0 {
		list = append(list, ACLItem{Grantee: 0, Grantor: id, Privileges: public})
	}
	if owner != 0 {
		list = append(list, ACLItem{Grantee: id, Grantor: id, Privileges: owner})
	}
	return list
}
