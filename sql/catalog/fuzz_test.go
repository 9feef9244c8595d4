package catalog

import (
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// FuzzDescriptor takes any bytes for a row of the catalog: an error, or a descriptor that is stored and read again.
func FuzzDescriptor(f *testing.F) {
	for _, o := range []Object{
		&Relation{Meta: Meta{OID: 17000, Name: "t", Schema: 2200, Owner: 10, Version: 3}, Kind: 'r', Persistence: 'p', Store: 9, StorageKey: []int16{1},
			Columns: []Column{{Num: 1, Name: "a", Type: 23, HasMissing: true, Missing: column.IntDatum(4)}}},
		&Index{Meta: Meta{OID: 17001, Name: "i"}, Unique: true, Store: 10},
		&Role{Meta: Meta{OID: 10, Name: "r"}},
	} {
		f.Add(Encode(o))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := Decode(b)
		if err != nil {
			return
		}
		if _, err := Decode(Encode(o)); err != nil {
			t.Fatalf("%T that was decoded: %v", o, err)
		}
	})
}
