package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/omendb/omendb/engine/column"
)

// valueShapes draw the number of the value of row i of n.
var valueShapes = []struct {
	name string
	draw func(r *rand.Rand, i, n int) int
}{
	{"few", func(r *rand.Rand, _, _ int) int { return r.IntN(7) }},
	{"one", func(*rand.Rand, int, int) int { return 3 }},
	{"unique", func(_ *rand.Rand, i, _ int) int { return i }},
	{"uniform", func(r *rand.Rand, _, n int) int { return r.IntN(n / 4) }},
	{"half", func(r *rand.Rand, i, _ int) int { return r.IntN(2) * (i + 10) }},
	{"skewed", func(r *rand.Rand, _, n int) int { return int(float64(n) * r.ExpFloat64() * r.ExpFloat64() / 2000) }},
	{"powers", func(r *rand.Rand, _, n int) int {
		x := 1
		for x < n && r.IntN(2) == 0 {
			x *= 2
		}
		return x + r.IntN(x)
	}},
	{"clustered", func(r *rand.Rand, i, n int) int { return i * 40 / n }},
	{"late", func(r *rand.Rand, i, n int) int {
		if i > n/2 && r.IntN(3) > 0 {
			return n + 1
		}
		return i
	}},
	{"adversary", func(_ *rand.Rand, i, _ int) int {
		if i%20 == 0 {
			return -1
		}
		return i / 2 % 150 * 1000
	}},
}

// valueOf makes a value of a kind of a number.
func valueOf(k column.Kind, x int) column.Datum {
	switch k {
	case column.Int:
		return column.IntDatum(int64(x) * 1009)
	case column.Float:
		return column.FloatDatum(float64(x) * 0.37)
	}
	return column.StringDatum(fmt.Sprintf("value %d %s", x, strings.Repeat("y", max(0, x%5)*20)))
}

// frequentOf writes rows of one column and returns its statistics and the true counts.
func frequentOf(t *testing.T, w *world, k column.Kind, n, blockBytes int, draw func(i int) (int, bool)) (*Reader, map[string]uint64) {
	t.Helper()
	truth := map[string]uint64{}
	var vs []version
	for i := range n {
		d := column.Null()
		if x, ok := draw(i); ok {
			d = valueOf(k, x)
			truth[fmt.Sprint(d.I, d.B)]++
		}
		vs = append(vs, version{key: intKey(i), ts: 1, row: []column.Datum{d}})
	}
	info := w.write([]column.Kind{k}, vs, WriterOptions{BlockBytes: blockBytes})
	return w.open(info.Name, OpenOptions{}), truth
}

// TestFrequentValuesAreBounded compares the list of common values with the truth: bounds always hold, and what is in
// more than one of 32 rows counted is listed.
func TestFrequentValuesAreBounded(t *testing.T) {
	for _, s := range valueShapes {
		for round, n := range []int{1, 30, 700, 2000, 30000} {
			k := []column.Kind{column.Int, column.Float, column.Bytes}[(round+len(s.name))%3]
			t.Run(fmt.Sprintf("%s/%v/%d", s.name, k, n), func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(n), 9))
				r, truth := frequentOf(t, newWorld(t, 0), k, n, []int{1000, 12000}[round%2], func(i int) (int, bool) {
					return s.draw(rnd, i, max(n, 4)), rnd.IntN(9) > 0
				})
				checkFrequent(t, &r.Info().Columns[0], truth, n <= dearRows)
				if err := r.Verify(context.Background(), nil); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func checkFrequent(t *testing.T, c *ColumnStats, truth map[string]uint64, all bool) {
	t.Helper()
	f, rows := &c.Frequent, c.Zone.Rows-c.Zone.Nulls
	if all && f.Counted != rows {
		t.Fatalf("%d of %d rows counted", f.Counted, rows)
	}
	listed := map[string]bool{}
	for i, v := range f.Values {
		name := fmt.Sprint(v.Value.I, v.Value.B)
		least, most := f.Bounds(i, rows)
		if n := truth[name]; n < least || n > most || all && f.Unlisted == 0 && n != v.Rows {
			t.Errorf("value %d is in %d rows: said to be in %d to %d, about %d", i, n, least, most, v.Rows)
		}
		listed[name] = true
	}
	for name, n := range truth {
		if !listed[name] && (n > f.Unlisted+rows-f.Counted || n > 1 && all && 32*n > rows) {
			t.Errorf("a value in %d of %d rows is not listed; %d counted, unlisted ones in at most %d", n, rows, f.Counted, f.Unlisted)
		}
	}
	if limit := f.Counted/(heldFrequencies+1) + f.Counted/leastShare + 1; all && len(f.Values) < MaxFrequent && f.Unlisted > limit {
		t.Errorf("unlisted values are in up to %d of %d rows, want %d at most", f.Unlisted, f.Counted, limit)
	}
}

// TestSampledBlocksFindWhatStandsOut draws values at random from so many that most blocks are passed over.
func TestSampledBlocksFindWhatStandsOut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	const n = 200_000
	r, truth := frequentOf(t, newWorld(t, 0), column.Int, n, 4000, func(i int) (int, bool) {
		if rnd.IntN(20) == 0 {
			return -rnd.IntN(2), true
		}
		return i + 1, true
	})
	f := &r.Info().Columns[0].Frequent
	if f.Counted > n/3 || f.Counted < n/40 {
		t.Errorf("%d of %d rows counted", f.Counted, n)
	}
	if len(f.Values) < 2 {
		t.Fatalf("%d values listed: %+v", len(f.Values), f)
	}
	for _, v := range f.Values[:2] {
		if is := truth[fmt.Sprint(v.Value.I, v.Value.B)]; float64(v.Rows) < 0.7*float64(is) || float64(v.Rows) > 1.4*float64(is) {
			t.Errorf("%d rows are estimated to be %d", is, v.Rows)
		}
	}
}

// TestLongValuesAreNotListed counts values at and above the limit.
func TestLongValuesAreNotListed(t *testing.T) {
	w := newWorld(t, 0)
	var vs []version
	for i := range 90 {
		vs = append(vs, version{key: intKey(i), ts: 1, row: []column.Datum{
			column.BytesDatum(bytes.Repeat([]byte("z"), MaxFrequentBytes+i%2)),
			column.BytesDatum(bytes.Repeat([]byte("w"), DefaultWideBytes))}})
	}
	info := w.write([]column.Kind{column.Bytes, column.Bytes}, vs, WriterOptions{})
	for _, c := range []*Info{&info, w.open(info.Name, OpenOptions{}).Info()} {
		f := c.Columns[0].Frequent
		if len(f.Values) != 1 || f.Values[0].Rows != 45 || f.Omitted != 45 || f.Unlisted != 0 || len(f.Values[0].Value.B) != MaxFrequentBytes {
			t.Errorf("%+v", f)
		}
		if f = c.Columns[1].Frequent; len(f.Values) != 0 || f.Omitted != 90 || f.Counted != 90 {
			t.Errorf("wide values: %+v", f)
		}
	}
}

// TestFrequentRoundTripAndRefusals encodes lists, reads them back, and changes what must hold of them.
func TestFrequentRoundTripAndRefusals(t *testing.T) {
	good := func() Frequent {
		return Frequent{Counted: 100, Omitted: 10, Unlisted: 5, Values: []FrequentValue{
			{column.StringDatum("a"), 60, 50, 5}, {column.StringDatum(""), 40, 30, 0}, {column.StringDatum("c"), 40, 10, 0}}}
	}
	for name, change := range map[string]func(f *Frequent){
		"":                      func(*Frequent) {},
		"more counted":          func(f *Frequent) { f.Counted = 121 },
		"more omitted":          func(f *Frequent) { f.Omitted = 101 },
		"more unlisted":         func(f *Frequent) { f.Unlisted = 91 },
		"more missed":           func(f *Frequent) { f.Values[0].Missed = 6 },
		"none":                  func(f *Frequent) { f.Values[2].Least = 0 },
		"least above estimate":  func(f *Frequent) { f.Values[0].Least = 61 },
		"estimate above rows":   func(f *Frequent) { f.Values[0].Rows = 121 },
		"sum of rows":           func(f *Frequent) { f.Values[0].Least = 51 },
		"order":                 func(f *Frequent) { f.Values[1].Rows = 39 },
		"twice the same":        func(f *Frequent) { f.Values[1].Value = f.Values[0].Value },
		"a value that is long":  func(f *Frequent) { f.Values[1].Value.B = make([]byte, MaxFrequentBytes+1) },
		"more values than fits": func(f *Frequent) { f.Values = make([]FrequentValue, MaxFrequent+1) },
	} {
		f := good()
		change(&f)
		b := f.append(nil, column.Bytes)
		r := &footerReader{b: append(b, 7)}
		got := readFrequent(r, column.Bytes, 120)
		if name != "" {
			if !r.bad || !errors.Is(r.err, errFrequent) {
				t.Errorf("%s: accepted", name)
			}
			continue
		}
		if r.bad || len(r.b) != 1 || fmt.Sprint(got) != fmt.Sprint(f) {
			t.Errorf("read back as %+v", got)
		}
		for i := range b {
			r := &footerReader{b: b[:i]}
			if readFrequent(r, column.Bytes, 120); !r.bad {
				t.Errorf("%d of %d bytes are accepted", i, len(b))
			}
		}
	}
}

// TestDamagedFrequentListIsNamed writes footers whose lists cannot be or are wrong, with right checksums: the first is refused
// at Open, the second found by Verify.
func TestDamagedFrequentListIsNamed(t *testing.T) {
	for want, change := range map[string]func(f *Frequent){
		"malformed list of most common values":          func(f *Frequent) { f.Values[0].Missed = f.Unlisted + 1 },
		"the most common values disagree with the rows": func(f *Frequent) { f.Values[0].Rows++; f.Values[0].Least++ },
	} {
		w := newWorld(t, 0)
		r, _ := frequentOf(t, w, column.Int, 300, 0, func(i int) (int, bool) { return i % 3, i%2 == 0 })
		good := w.readFile(r.Info().Name)
		f := &footer{info: *r.Info(), fences: r.fences, index: r.index}
		f.info.Columns[0].Frequent.Counted, f.info.Columns[0].Frequent.Omitted = 150, 0
		f.info.Columns[0].Frequent.Values[1].Least--
		f.info.Columns[0].Frequent.Values[1].Missed, f.info.Columns[0].Frequent.Unlisted = 1, 1
		change(&f.info.Columns[0].Frequent)
		w.writeFile(r.Info().Name, f.append(bytes.Clone(good[:r.end]), r.end))
		again, err := Open(w.fs, testDir, r.Info().Name, w.cache, OpenOptions{})
		if err == nil {
			err = again.Verify(context.Background(), nil)
		}
		var damage *CorruptionError
		if !errors.As(err, &damage) || damage.Detail != want || damage.Offset != int64(r.end) || !strings.HasSuffix(damage.File, r.Info().Name) {
			t.Errorf("%v instead of %s", err, want)
		}
	}
}

// TestFirstFormatVersionIsRead makes a file of version 1 of one of today's: it has no lists, and everything else.
func TestFirstFormatVersionIsRead(t *testing.T) {
	w := newWorld(t, 0)
	r, _ := frequentOf(t, w, column.Bytes, 300, 0, func(i int) (int, bool) { return i % 3, true })
	if len(r.Info().Columns[0].Frequent.Values) != 3 {
		t.Fatalf("%+v", r.Info().Columns[0].Frequent)
	}
	body := make([]byte, r.Info().Size-trailerSize-int64(r.end))
	if err := r.readAt(body, int64(r.end)); err != nil {
		t.Fatal(err)
	}
	st := &r.Info().Columns[0]
	list := st.Frequent.append(nil, column.Bytes)
	at := bytes.Index(body, list)
	f, err := parseFooter(append(bytes.Clone(body[:at]), body[at+len(list):]...), r.end, 1)
	if err != nil || f.info.Rows != 300 || len(f.info.Columns[0].Frequent.Values) != 0 || f.info.Columns[0].Sketch.Estimate() != 3 {
		t.Errorf("%+v (%v)", f, err)
	}
}
