package functions

import "github.com/omendb/omendb/sql/types"

// Call describes a function call to resolve.
type Call struct {
	Cands    []*Func  // the functions of the name, in search path order
	ArgTypes []OID    // as written; UnknownOID for untyped literals
	ArgNames []string // parallel to ArgTypes, "" for positional arguments; nil when all are
	Variadic bool     // VARIADIC before the last argument
	// NamedType is the type that the function's name also names, 0 when it names none:
	// text(x) can be a cast.
	NamedType OID
	// Kinds limits the candidates to these kinds ("p" for CALL); empty allows all but procedures.
	Kinds string
}

// Param is one parameter of a resolved call.
type Param struct {
	Arg     int    // index of the call's argument; -1 when the default is used
	Default string // SQL text of the default, when Arg is -1
	Type    OID    // what the argument has to be converted to
}

// Resolution is the outcome of ResolveFunc.
type Resolution struct {
	Status Status
	Func   *Func
	Params []Param // in the function's order; with an expanded VARIADIC one for each element
	// Elements is the number of trailing Params to collect into the array that the function
	// really takes, ElementType being theirs. 0 when there is nothing to collect.
	Elements    int
	ElementType OID
	Ret         OID
	Path        CoercionPath // of Coercion
	Err         error        // polymorphic types that do not fit
}

// funcCandidate is a function as one call would use it.
type funcCandidate struct {
	f        *Func
	order    int   // position in the search path order
	types    []OID // parameter types in the order of the call's arguments, then those of used defaults
	params   []int // the function's parameter for each of types
	elements int   // expanded variadic elements
	defaults int
	clash    bool // several equally good ones of these types
}

func (c *funcCandidate) argTypes() []OID { return c.types }

// ResolveFunc chooses the function of a call. The rules are those of PostgreSQL's
// func_get_detail: an exact match, then a cast by function syntax, then the
// candidate selection that operators use, too.
func ResolveFunc(env *types.Env, casts CastFinder, call Call) Resolution {
	n := len(call.ArgTypes)
	var cands []*funcCandidate
	for i, f := range call.Cands {
		if !kindAllowed(call.Kinds, f.Kind) {
			continue
		}
		if c := shape(env, f, call); c != nil {
			c.order = i
			cands = addCandidate(cands, c, n)
		}
	}
	for _, c := range cands {
		if equalTypes(c.types[:n], call.ArgTypes) {
			return finishFunc(env, casts, call, c)
		}
	}
	if path, ok := functionCast(env, casts, call); ok {
		return Resolution{Status: Coercion, Ret: call.NamedType, Path: path}
	}
	r := resolver{env, casts}
	trimmed := make([]*funcCandidate, len(cands))
	whole := make(map[*funcCandidate]*funcCandidate, len(cands))
	for i, c := range cands {
		t := *c
		t.types = c.types[:n]
		trimmed[i] = &t
		whole[&t] = c
	}
	fit := match(r, call.ArgTypes, trimmed)
	switch len(fit) {
	case 0:
		return Resolution{Status: NotFound}
	case 1:
		return finishFunc(env, casts, call, whole[fit[0]])
	}
	best, ok := selectCandidate(r, call.ArgTypes, fit)
	if !ok {
		return Resolution{Status: Ambiguous}
	}
	return finishFunc(env, casts, call, whole[best])
}

func kindAllowed(kinds string, kind byte) bool {
	if kinds == "" {
		return kind != 'p'
	}
	for i := range len(kinds) {
		if kinds[i] == kind {
			return true
		}
	}
	return false
}

func equalTypes(a, b []OID) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// shape fits a function to the number and names of the arguments; nil when it does not fit.
func shape(env *types.Env, f *Func, call Call) *funcCandidate {
	n := len(call.ArgTypes)
	c := &funcCandidate{f: f}
	if call.ArgNames != nil {
		return shapeNamed(f, call, c)
	}
	declared := len(f.Args)
	switch {
	case call.Variadic && f.Variadic == 0:
		return nil
	case !call.Variadic && f.Variadic != 0 && n >= declared:
		c.elements = n - declared + 1
	case n < declared && n+len(f.Defaults) >= declared:
		c.defaults = declared - n
	case n != declared:
		return nil
	}
	last := declared
	if c.elements > 0 {
		last = declared - 1
	}
	for i := range last {
		c.types, c.params = append(c.types, f.Args[i]), append(c.params, i)
	}
	for range c.elements {
		c.types, c.params = append(c.types, f.Variadic), append(c.params, declared-1)
	}
	return c
}

// shapeNamed fits arguments in named notation: positional ones first, then by name, then defaults.
func shapeNamed(f *Func, call Call, c *funcCandidate) *funcCandidate {
	n, declared := len(call.ArgTypes), len(f.Args)
	names := f.InputNames()
	if n > declared || names == nil || call.Variadic != (f.Variadic != 0) && (call.Variadic || f.Variadic != types.AnyOID && f.Variadic != 0) {
		return nil
	}
	used := make([]bool, declared)
	for i, name := range call.ArgNames {
		p := i
		if name != "" {
			p = -1
			for k, have := range names {
				if have == name {
					p = k
					break
				}
			}
			if p < 0 {
				return nil
			}
		}
		if used[p] {
			return nil
		}
		used[p] = true
		c.types, c.params = append(c.types, f.Args[p]), append(c.params, p)
	}
	for p := range declared {
		if used[p] {
			continue
		}
		if p < declared-len(f.Defaults) {
			return nil
		}
		c.types, c.params = append(c.types, f.Args[p]), append(c.params, p)
		c.defaults++
	}
	return c
}

// addCandidate keeps of two candidates that look the same to the call the one earlier in
// the path or the one without expansion; else they clash.
func addCandidate(cands []*funcCandidate, c *funcCandidate, n int) []*funcCandidate {
	for i, have := range cands {
		if !equalTypes(have.types[:n], c.types[:n]) {
			continue
		}
		switch {
		case have.f.Namespace != c.f.Namespace:
			return cands
		case (have.elements > 0) != (c.elements > 0):
			if have.elements > 0 {
				cands[i] = c
			}
			return cands
		case have.elements > 0 && have.elements != c.elements:
			if c.elements < have.elements {
				cands[i] = c
			}
			return cands
		}
		have.clash = true
		return cands
	}
	return append(cands, c)
}

// functionCast reports whether name(x) means a cast to the type called name.
func functionCast(env *types.Env, casts CastFinder, call Call) (CoercionPath, bool) {
	if len(call.ArgTypes) != 1 || call.ArgNames != nil || call.Variadic || call.NamedType == 0 {
		return PathNone, false
	}
	source, target := call.ArgTypes[0], call.NamedType
	if source == types.UnknownOID {
		return PathViaIO, true
	}
	path, _ := FindCoercion(env, casts, source, target, Explicit)
	switch path {
	case PathRelabel:
		return path, true
	case PathViaIO:
		if (source == types.RecordOID || isComplex(env, source)) && typeCategory(env, target) == 'S' {
			return PathNone, false
		}
		return path, true
	}
	return PathNone, false
}

// finishFunc resolves polymorphic types and puts the parameters into the function's order.
func finishFunc(env *types.Env, casts CastFinder, call Call, c *funcCandidate) Resolution {
	if c.clash {
		return Resolution{Status: Ambiguous}
	}
	f, n := c.f, len(call.ArgTypes)
	actual := append([]OID(nil), call.ArgTypes...)
	declared := append([]OID(nil), c.types...)
	for k := n; k < len(declared); k++ { // defaults
		t := declared[k]
		if i := c.params[k] - (len(f.Args) - len(f.Defaults)); IsPolymorphic(t) && f.DefaultTypes != nil {
			t = f.DefaultTypes[i]
		}
		actual = append(actual, t)
	}
	res := Resolution{Status: Found, Func: f, Elements: c.elements}
	res.Ret, res.Err = ResolvePolymorphic(env, casts, actual, declared, f.Ret)
	if res.Err != nil {
		return res
	}
	byParam := make([]int, len(f.Args))
	for k, p := range c.params {
		byParam[p] = k
	}
	fixed := len(f.Args)
	if c.elements > 0 {
		fixed--
	}
	for p := range fixed {
		k := byParam[p]
		param := Param{Arg: k, Type: declared[k]}
		if k >= n {
			param.Arg, param.Default = -1, f.Defaults[p-(len(f.Args)-len(f.Defaults))]
		}
		res.Params = append(res.Params, param)
	}
	for k := n - c.elements; k < n; k++ {
		res.Params = append(res.Params, Param{Arg: k, Type: declared[k]})
		res.ElementType = declared[k]
	}
	if f.Variadic == types.AnyOID {
		res.Elements, res.ElementType = 0, 0
		for i := range res.Params {
			if res.Params[i].Type == types.AnyOID {
				res.Params[i].Type = call.ArgTypes[res.Params[i].Arg]
			}
		}
	}
	return res
}
