package exec

import (
	"reflect"
	"slices"

	"github.com/omendb/omendb/sql/plan"
)

// keeper tells an operator that keeps its input's rows whether they are still
// good when it is opened again: they are while no executor parameter that the
// input uses was set to another value.
type keeper struct {
	st       *state
	node     plan.Node
	versions []uint64
	filled   bool
	known    bool
	volatile bool // the input reads a work table: never good twice
	uses     []int
}

// fresh reports whether what was kept at the last mark is still good.
func (k *keeper) fresh() bool {
	if !k.filled {
		return false
	}
	if !k.known {
		k.known = true
		k.uses, k.volatile = k.st.dependencies(k.node)
	}
	if k.volatile {
		return false
	}
	for _, id := range k.uses {
		if k.versions[id] != k.st.versions[id] {
			return false
		}
	}
	return true
}

// mark remembers the parameters with which the rows were made.
func (k *keeper) mark() {
	k.filled = true
	k.versions = append(k.versions[:0], k.st.versions...)
}

// forget makes the next open read again.
func (k *keeper) forget() { k.filled = false }

// dependencies returns the executor parameters that a tree of nodes reads.
func (st *state) dependencies(n plan.Node) (uses []int, volatile bool) {
	seen, own, within := map[int]bool{}, map[int]bool{}, map[int]bool{}
	addPlan := func(p int) { uses = append(uses, st.stmt.Plans[p].Uses...) }
	visit := func(e plan.Expr) {
		plan.Walk(e, func(e plan.Expr) bool {
			switch e := e.(type) {
			case *plan.Exec:
				uses = append(uses, e.ID)
			case *plan.SubPlan:
				addPlan(e.Plan)
			}
			return true
		})
	}
	var tree func(n plan.Node)
	tree = func(n plan.Node) {
		switch n := n.(type) {
		case *plan.RecursiveUnion:
			own[n.ID] = true
		case *plan.Adaptive:
			within[n.ID] = true
		case *plan.Replay:
			volatile = volatile || !within[n.ID]
		case *plan.WorkTableScan:
			volatile = volatile || !own[n.ID] // the rows of a step change while a recursion outside runs
		case *plan.CTEScan:
			if !seen[n.Plan] {
				seen[n.Plan] = true
				addPlan(n.Plan)
				tree(st.stmt.Plans[n.Plan].Root)
			}
		}
		nodeExprs(reflect.ValueOf(n).Elem(), visit)
		for _, c := range n.Children() {
			tree(c)
		}
	}
	tree(n)
	slices.Sort(uses)
	uses = slices.DeleteFunc(slices.Compact(uses), func(id int) bool { return id >= len(st.versions) })
	return uses, volatile
}

var (
	nodeType = reflect.TypeFor[plan.Node]()
	infoType = reflect.TypeFor[plan.NodeInfo]()
)

// nodeExprs calls visit for the expressions in the fields of a node, not those of its inputs.
func nodeExprs(v reflect.Value, visit func(plan.Expr)) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() || v.Type().Implements(nodeType) {
			return
		}
		if e, ok := v.Interface().(plan.Expr); ok {
			visit(e)
			return
		}
		if v.Kind() == reflect.Pointer && v.Type().Elem().PkgPath() == infoType.PkgPath() {
			nodeExprs(v.Elem(), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			nodeExprs(v.Index(i), visit)
		}
	case reflect.Struct:
		if v.Type() == infoType || (v.Type().PkgPath() != infoType.PkgPath()) {
			return
		}
		for i := range v.NumField() {
			nodeExprs(v.Field(i), visit)
		}
	}
}
