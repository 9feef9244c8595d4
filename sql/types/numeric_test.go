package types

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// numericOps are the operations of testdata/numeric_ops.tsv.
var numericOps = map[string]func(a, b Numeric) (Numeric, error){
	"+": Numeric.Add, "-": Numeric.Sub, "*": Numeric.Mul, "/": Numeric.Div, "%": Numeric.Mod,
	"div": Numeric.DivTrunc, "power": Numeric.Pow,
	"cmp":      func(a, b Numeric) (Numeric, error) { return NumericFromInt64(int64(sign(a.Cmp(b)))), nil },
	"sqrt":     func(a, _ Numeric) (Numeric, error) { return a.Sqrt() },
	"exp":      func(a, _ Numeric) (Numeric, error) { return a.Exp() },
	"ln":       func(a, _ Numeric) (Numeric, error) { return a.Ln() },
	"log":      func(a, _ Numeric) (Numeric, error) { return a.Log(NumericFromInt64(10)) },
	"logb":     func(a, b Numeric) (Numeric, error) { return b.Log(a) },
	"ceil":     func(a, _ Numeric) (Numeric, error) { return a.Ceil(), nil },
	"floor":    func(a, _ Numeric) (Numeric, error) { return a.Floor(), nil },
	"round0":   func(a, _ Numeric) (Numeric, error) { return a.Round(0), nil },
	"round2":   func(a, _ Numeric) (Numeric, error) { return a.Round(2), nil },
	"roundm2":  func(a, _ Numeric) (Numeric, error) { return a.Round(-2), nil },
	"trunc1":   func(a, _ Numeric) (Numeric, error) { return a.Trunc(1), nil },
	"truncm1":  func(a, _ Numeric) (Numeric, error) { return a.Trunc(-1), nil },
	"trim":     func(a, _ Numeric) (Numeric, error) { return a.TrimScale(), nil },
	"abs":      func(a, _ Numeric) (Numeric, error) { return a.Abs(), nil },
	"minscale": func(a, _ Numeric) (Numeric, error) { return NumericFromInt64(int64(a.MinScale())), nil },
}

// TestNumericMatchesPostgreSQL compares results, scales included.
func TestNumericMatchesPostgreSQL(t *testing.T) {
	data, err := os.ReadFile("testdata/numeric_ops.tsv")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if f[0] == "minscale" && strings.HasSuffix(f[3], "null") {
			continue // min_scale of a special value is NULL, which the caller sees by IsFinite
		}
		a, err := ParseNumeric(f[1])
		if err != nil {
			t.Fatal(err)
		}
		var b Numeric
		if f[2] != "" {
			if b, err = ParseNumeric(f[2]); err != nil {
				t.Fatal(err)
			}
		}
		r, err := numericOps[f[0]](a, b)
		if got := describe(r.String(), err); got != f[3] {
			t.Errorf("%s(%s, %s)\n got %s\nwant %s", f[0], f[1], f[2], got, f[3])
		}
		if err == nil && NumericFrom(r.Datum()).String() != r.String() {
			t.Errorf("%s does not survive encoding", r)
		}
	}
}

func BenchmarkNumericAdd(b *testing.B) {
	x, y := NumericScaled(1234567, 2), NumericScaled(99, 3)
	for b.Loop() {
		if _, err := x.Add(y); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNumericOut(b *testing.B) {
	d := NumericScaled(1234567, 2).Datum()
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = numericOut(nil, buf[:0], nil, d)
	}
}

func TestNumericLimits(t *testing.T) {
	for _, c := range []struct {
		digits int
		ok     bool
	}{{maxIntegral, true}, {maxIntegral + 1, false}} {
		if _, err := ParseNumeric(strings.Repeat("9", c.digits)); (err == nil) != c.ok {
			t.Errorf("%d digits: %v", c.digits, err)
		}
	}
	if _, err := ParseNumeric("1e-" + strconv.Itoa(MaxNumericScale)); err != nil {
		t.Error(err)
	}
	if _, err := ParseNumeric("1e-" + strconv.Itoa(MaxNumericScale+1)); err == nil {
		t.Error("a scale beyond the limit was accepted")
	}
}
