package catalog

import "sync/atomic"

// Build is an index being built while others write to its table. Their
// statements find it with the index's descriptor and ask it, row by row and
// holding the row's lock, whether entries are to be written already.
type Build struct{ on atomic.Bool }

// Start makes writers maintain the index from now on.
func (b *Build) Start() { b.on.Store(true) }

// Maintained reports whether writers have to maintain the index.
func (b *Build) Maintained() bool { return b.on.Load() }

// BeginBuild makes the build of an index known to those who write to its table
// in statements that begin from now on. It precedes the commit of the descriptor.
func (v *View) BeginBuild(index OID) *Build {
	b := &Build{}
	v.cat.builds.Store(index, b)
	return b
}

// EndBuild forgets a build.
func (v *View) EndBuild(index OID) { v.cat.builds.Delete(index) }

// Build returns the build of an index that is not ready, nil when none is under way.
func (v *View) Build(index OID) *Build {
	b, _ := v.cat.builds.Load(index)
	build, _ := b.(*Build)
	return build
}
