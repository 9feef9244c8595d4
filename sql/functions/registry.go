package functions

import (
	"fmt"
	"sync"

	"github.com/omendb/omendb/sql/types"
)

type registry struct {
	funcs  []*Func
	byOID  map[OID]*Func
	byName map[string][]*Func
}

var builtin = sync.OnceValue(loadFuncs)

func loadFuncs() *registry {
	t := Facts("pg_proc")
	reg := &registry{
		byOID:  make(map[OID]*Func, len(t.Rows)),
		byName: make(map[string][]*Func, len(t.Rows)),
		funcs:  make([]*Func, 0, len(t.Rows)),
	}
	all := make([]Func, len(t.Rows))
	r := newFactReader(t)
	for i, row := range t.Rows {
		r.row = row
		f := &all[i]
		*f = readFunc(r)
		reg.funcs = append(reg.funcs, f)
		reg.byOID[f.OID] = f
		reg.byName[f.Name] = append(reg.byName[f.Name], f)
	}
	readAggregates(reg)
	for i := range all {
		attach(&all[i])
	}
	return reg
}

func readFunc(r *factReader) Func {
	return Func{
		OID: r.oid("oid"), Name: r.text("proname"), Namespace: r.oid("pronamespace"), Lang: r.oid("prolang"),
		Kind: r.char("prokind"), Args: r.oids("proargtypes"), AllArgs: r.oids("proallargtypes"),
		Modes: modes(r.text("proargmodes")), Names: r.texts("proargnames"), Defaults: r.texts("proargdefaults"),
		Variadic: r.oid("provariadic"), Ret: r.oid("prorettype"), RetSet: r.bool("proretset"),
		Volatile: r.char("provolatile"), Parallel: r.char("proparallel"), Strict: r.bool("proisstrict"),
		LeakProof: r.bool("proleakproof"), SecDef: r.bool("prosecdef"), Cost: r.float("procost"),
		Rows: r.float("prorows"), Support: r.oid("prosupport"), Src: r.text("prosrc"), Bin: r.text("probin"),
		Body: r.text("prosqlbody"),
	}
}

// modes turns "{i,o}" into "io".
func modes(s string) []byte {
	if s == "" {
		return nil
	}
	out := make([]byte, 0, len(s)/2)
	for i := 1; i < len(s); i += 2 {
		out = append(out, s[i])
	}
	return out
}

func readAggregates(reg *registry) {
	t := Facts("pg_aggregate")
	r := newFactReader(t)
	for _, row := range t.Rows {
		r.row = row
		direct := r.oid("aggnumdirectargs")
		reg.byOID[r.oid("aggfnoid")].Agg = &Aggregate{
			Kind: r.char("aggkind"), DirectArgs: int(direct), SortOp: r.oid("aggsortop"), TransFn: r.oid("aggtransfn"),
			FinalFn: r.oid("aggfinalfn"), TransType: r.oid("aggtranstype"), InitVal: r.text("agginitval"),
			HasInit: !r.isNull("agginitval"), CombineFn: r.oid("aggcombinefn"),
		}
	}
}

// ByOID returns a built-in function, nil when there is none.
func ByOID(oid OID) *Func { return builtin().byOID[oid] }

// ByName returns the built-in functions of a name in every built-in schema, by OID;
// the slice is shared.
func ByName(name string) []*Func { return builtin().byName[name] }

// BySource returns the first built-in function of an internal name (prosrc), nil when there is none.
func BySource(src string) *Func {
	for _, f := range builtin().funcs {
		if f.Src == src && f.Lang == LangInternal {
			return f
		}
	}
	return nil
}

// All returns every built-in function by OID; the slice is shared.
func All() []*Func { return builtin().funcs }

// Signature returns "name(type,type)" with catalog type names, as the tables of
// implementations and the tests spell functions.
func (f *Func) Signature() string {
	s := make([]byte, 0, 32)
	s = append(append(s, f.Name...), '(')
	for i, a := range f.Args {
		if i > 0 {
			s = append(s, ',')
		}
		if t := types.ByOID(a); t != nil {
			s = append(s, t.Name...)
		} else {
			s = fmt.Appendf(s, "%d", a)
		}
	}
	return string(append(s, ')'))
}
