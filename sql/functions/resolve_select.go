package functions

import "github.com/omendb/omendb/sql/types"

// A candidate is anything that overload resolution chooses from.
type candidate interface{ argTypes() []OID }

// resolver holds what the steps of overload resolution share.
type resolver struct {
	env   *types.Env
	casts CastFinder
}

// match keeps the candidates whose argument types the actual ones can become.
func match[C candidate](r resolver, actual []OID, cands []C) []C {
	var out []C
	for _, c := range cands {
		if CanCoerce(r.env, r.casts, actual, c.argTypes(), Implicit) {
			out = append(out, c)
		}
	}
	return out
}

// keepBest keeps the candidates with the most matches.
func keepBest[C candidate](cands []C, score func(C) int) []C {
	best := -1
	var out []C
	for _, c := range cands {
		switch s := score(c); {
		case s > best:
			best, out = s, []C{c}
		case s == best:
			out = append(out, c)
		}
	}
	return out
}

// selectCandidate chooses among candidates that all match, by the rules of
// PostgreSQL's manual (chapter 10.3, steps 4.b to 4.f): exact matches, preferred
// types, categories of unknown literals, and the type of the other arguments. It
// reports false when that leaves several.
func selectCandidate[C candidate](r resolver, actual []OID, cands []C) (C, bool) {
	var none C
	base := make([]OID, len(actual))
	unknowns := 0
	for i, t := range actual {
		base[i] = t
		if t == types.UnknownOID {
			unknowns++
		} else {
			base[i], _ = r.env.BaseType(t, -1)
		}
	}
	cands = keepBest(cands, func(c C) int {
		n := 0
		for i, t := range c.argTypes() {
			if base[i] != types.UnknownOID && t == base[i] {
				n++
			}
		}
		return n
	})
	if len(cands) == 1 {
		return cands[0], true
	}
	cands = keepBest(cands, func(c C) int {
		n := 0
		for i, t := range c.argTypes() {
			if base[i] != types.UnknownOID && (t == base[i] || isPreferred(r.env, typeCategory(r.env, base[i]), t)) {
				n++
			}
		}
		return n
	})
	if len(cands) == 1 {
		return cands[0], true
	}
	if unknowns == 0 {
		return none, false
	}
	cands = byUnknownCategory(r, base, cands)
	if len(cands) == 1 {
		return cands[0], true
	}
	return byKnownType(r, base, cands, unknowns)
}

// byUnknownCategory resolves each unknown literal to a type category, string where any
// candidate takes one, and keeps the candidates that accept those; all of
// them when that cannot be decided.
func byUnknownCategory[C candidate](r resolver, base []OID, cands []C) []C {
	category := make([]byte, len(base))
	preferred := make([]bool, len(base))
	for i := range base {
		if base[i] != types.UnknownOID {
			continue
		}
		conflict := false
		for _, c := range cands {
			t := c.argTypes()[i]
			cat, pref := typeCategory(r.env, t), isPreferred(r.env, 0, t)
			switch {
			case category[i] == 0:
				category[i], preferred[i] = cat, pref
			case cat == category[i]:
				preferred[i] = preferred[i] || pref
			case cat == 'S':
				category[i], preferred[i] = cat, pref
			default:
				conflict = true
			}
		}
		if conflict && category[i] != 'S' {
			return cands
		}
	}
	var kept []C
	for _, c := range cands {
		keep := true
		for i, t := range c.argTypes() {
			if base[i] == types.UnknownOID && (typeCategory(r.env, t) != category[i] || preferred[i] && !isPreferred(r.env, 0, t)) {
				keep = false
			}
		}
		if keep {
			kept = append(kept, c)
		}
	}
	if len(kept) > 0 {
		return kept
	}
	return cands
}

// byKnownType supposes that the unknown literals are of the one type that the other
// arguments have.
func byKnownType[C candidate](r resolver, base []OID, cands []C, unknowns int) (C, bool) {
	var none C
	if unknowns == len(base) {
		return none, false
	}
	known := OID(types.UnknownOID)
	for _, t := range base {
		switch {
		case t == types.UnknownOID:
		case known == types.UnknownOID:
			known = t
		case known != t:
			return none, false
		}
	}
	same := make([]OID, len(base))
	for i := range same {
		same[i] = known
	}
	if fit := match(r, same, cands); len(fit) == 1 {
		return fit[0], true
	}
	return none, false
}
