package catalog

// Object is a descriptor of any class. Descriptors are never changed once they
// have been given to View.Put: copy, change the copy, put it.
type Object interface {
	// Class tells what the object is.
	Class() Class
	// Head returns the part that all objects share.
	Head() *Meta
}

// Head implements Object.
func (m *Meta) Head() *Meta { return m }

// Class implements Object.
func (*Database) Class() Class { return ClassDatabase }

// Class implements Object.
func (*Role) Class() Class { return ClassRole }

// Class implements Object.
func (*Schema) Class() Class { return ClassSchema }

// Class implements Object.
func (*Relation) Class() Class { return ClassRelation }

// Class implements Object.
func (*Sequence) Class() Class { return ClassSequence }

// Class implements Object.
func (*Type) Class() Class { return ClassType }

// Class implements Object.
func (*Function) Class() Class { return ClassFunction }

// Class implements Object.
func (*Index) Class() Class { return ClassIndex }

// Class implements Object.
func (*Extension) Class() Class { return ClassExtension }

// Class implements Object.
func (*Setting) Class() Class { return ClassSetting }

// Class implements Object.
func (*Statistic) Class() Class { return ClassStatistic }

// Class implements Object.
func (*DefaultACL) Class() Class { return ClassDefaultACL }

// Shared reports whether objects of the class belong to the whole server rather
// than to one database.
func (c Class) Shared() bool {
	return c == ClassDatabase || c == ClassRole || c == ClassSetting || c == ClassSharedACL
}

// nameSpace tells which names must differ: relations, indexes and sequences share one
// set of names per schema, as in pg_class. Classes without unique names give 0.
func (c Class) nameSpace() byte {
	switch c {
	case ClassIndex, ClassSequence:
		return byte(ClassRelation)
	case ClassSetting, ClassStatistic, ClassDefaultACL, ClassBuiltinACL, ClassSharedACL:
		return 0
	}
	return byte(c)
}
