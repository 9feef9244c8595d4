package main

import (
	"strings"
	"testing"
)

func TestFloors(t *testing.T) {
	profile := `mode: set
github.com/omendb/omendb/engine/db.go:1.1,2.2 8 0
github.com/omendb/omendb/engine/db.go:1.1,2.2 8 1
github.com/omendb/omendb/engine/txn/txn.go:1.1,2.2 2 0
github.com/omendb/omendb/omendb.go:1.1,2.2 10 1
github.com/omendb/omendb/internal/tool/main.go:1.1,2.2 90 0
`
	limits, err := parseFloors("# comment\nall 90\nengine 80\nwithout internal/tool\n")
	if err != nil {
		t.Fatal(err)
	}
	packages, err := readProfile(strings.NewReader(profile), limits.without)
	if err != nil {
		t.Fatal(err)
	}
	if f := packages["engine"]; f != (figure{8, 8}) {
		t.Errorf("a block that one of two test binaries ran is covered; got %+v", f)
	}
	var out strings.Builder
	if !report(&out, packages, limits) {
		t.Errorf("18 of 20 statements and 8 of 10 in engine keep the floors:\n%s", out.String())
	}
	limits.percent["engine"] = 80.1
	if report(&out, packages, limits) {
		t.Errorf("80 %% is below a floor of 80.1 %%:\n%s", out.String())
	}
	if _, err := parseFloors("engine ninety"); err == nil {
		t.Error("a floor that is no number was accepted")
	}
}
