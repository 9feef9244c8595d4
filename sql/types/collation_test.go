package types

import (
	"testing"
)

type testCollations struct{}

func (testCollations) CollationByOID(oid OID) *Collation {
	switch oid {
	case 300001:
		return &Collation{OID: oid, Name: "en", Provider: 'c', Deterministic: true, Collate: "en_US.utf8"}
	case 300002:
		return &Collation{OID: oid, Name: "plain", Provider: 'c', Deterministic: true, Collate: "C.UTF-8"}
	case 300003:
		return &Collation{OID: oid, Name: "sv", Provider: 'i', Deterministic: true, ICULocale: "sv-SE"}
	}
	return nil
}

func collationNamed(t *testing.T, name string) OID {
	t.Helper()
	for _, c := range Collations() {
		if c.Name == name {
			return c.OID
		}
	}
	t.Fatalf("no collation %q", name)
	return 0
}

func TestCollations(t *testing.T) {
	e := NewEnv()
	e.CollationSource = testCollations{}
	for _, c := range []struct {
		coll OID
		a, b string // a < b
	}{
		{CCollation, "B", "a"}, {DefaultCollation, "Z", "a"}, {300002, "B", "a"}, {collationNamed(t, "ucs_basic"), "B", "a"},
		{300001, "a", "B"}, {300001, "a", "A"}, {300001, "é", "f"}, {300001, "cote", "côte"},
		{collationNamed(t, "und-x-icu"), "ä", "z"}, {300003, "z", "ä"}, {collationNamed(t, "de-x-icu"), "ä", "b"},
	} {
		for _, typ := range []OID{TextOID, BPCharOID, TextArrayOID} {
			a, b := stringDatum(c.a), stringDatum(c.b)
			if typ == TextArrayOID {
				a, b = e.MakeArray(NewArray(TextOID, []Datum{a})), e.MakeArray(NewArray(TextOID, []Datum{b}))
			}
			if e.Compare(typ, c.coll, a, b) >= 0 || e.Compare(typ, c.coll, b, a) <= 0 {
				t.Errorf("collation %d: %q is not below %q", c.coll, c.a, c.b)
			}
			x, y := e.EncodeKey(nil, typ, c.coll, a, false, false), e.EncodeKey(nil, typ, c.coll, b, false, false)
			if string(x) >= string(y) {
				t.Errorf("collation %d: the key of %q is not below that of %q", c.coll, c.a, c.b)
			}
			if once, again := e.Hash(typ, c.coll, a), e.Hash(typ, c.coll, a); once != again || !e.Equal(typ, c.coll, a, a) {
				t.Errorf("%q is not itself", c.a)
			}
		}
	}
	if _, exact := e.KeyKind(TextOID, CCollation); !exact {
		t.Error("keys of C text are the text")
	}
	if _, exact := e.KeyKind(TextOID, 300001); exact {
		t.Error("keys of English text are not the text")
	}
	if CheckLocale("en_US") != nil || CheckLocale("not a locale") == nil {
		t.Error("CheckLocale")
	}
}
