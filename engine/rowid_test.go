package engine

import (
	"errors"
	"testing"
)

func TestRowIDsGrow(t *testing.T) {
	var db DB
	fail := func() (int64, error) { return 0, errors.New("unreadable") }
	if _, err := db.RowIDs(7, 1, fail); err == nil {
		t.Fatal("the failure to read the store is lost")
	}
	for _, c := range []struct{ n, want int64 }{{3, 11}, {1, 14}, {5, 15}} {
		got, err := db.RowIDs(7, c.n, func() (int64, error) { return 10, nil })
		if err != nil || got != c.want {
			t.Errorf("got %d, %v, want %d", got, err, c.want)
		}
	}
}
