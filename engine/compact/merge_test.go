package compact

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/segment"
	"github.com/omendb/omendb/engine/segment/cache"
	"github.com/omendb/omendb/internal/vfs"
)

// list is a source of versions written as "key@timestamp", "-" in front for a tombstone.
type list struct {
	items []string
	err   error
	row   [1]column.Datum
}

func (l *list) parse() (key string, ts uint64, dead bool) {
	s := l.items[0]
	if dead = s[0] == '-'; dead {
		s = s[1:]
	}
	fmt.Sscanf(s[2:], "%d", &ts)
	return s[:1], ts, dead
}

func (l *list) Next() bool {
	if len(l.items) > 0 {
		l.items = l.items[1:]
	}
	return len(l.items) > 0
}
func (l *list) Err() error                   { return l.err }
func (l *list) Key() []byte                  { k, _, _ := l.parse(); return []byte(k) }
func (l *list) Version() uint64              { _, ts, _ := l.parse(); return ts }
func (l *list) Deleted() bool                { _, _, d := l.parse(); return d }
func (l *list) Successor() []byte            { return nil }
func (l *list) Row() ([]column.Datum, error) { return l.row[:], nil }

func from(items ...string) Source { return &list{items: append([]string{""}, items...)} }

// merged runs a merge and returns what its outputs hold.
func merged(t *testing.T, o Options, sources ...Source) (versions []string, files int, err error) {
	t.Helper()
	fs := vfs.NewMem(1)
	if err := fs.MkdirAll("d"); err != nil {
		t.Fatal(err)
	}
	var nonce uint64
	o.NewWriter = func() *segment.Writer {
		nonce++
		return segment.NewWriter(fs, "d", segment.Schema{Columns: []column.Kind{column.Int}}, segment.WriterOptions{Nonce: nonce})
	}
	if o.TargetBytes == 0 {
		o.TargetBytes = 1 << 20
	}
	res, err := Merge(sources, o)
	if err != nil {
		names, _ := fs.List("d")
		return nil, len(names), err
	}
	c := cache.New(1 << 20)
	defer c.Close()
	for _, info := range res.Segments {
		r, err := segment.Open(fs, "d", info.Name, c, segment.OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for it := r.Versions(nil, nil); it.Next(); {
			sign := ""
			if it.Deleted() {
				sign = "-"
			}
			versions = append(versions, fmt.Sprintf("%s%s@%d", sign, it.Key(), it.Version()))
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return versions, len(res.Segments), nil
}

// TestRetention: above the oldest snapshot all versions stay, at or below it
// the newest; tombstones go only from the bottom.
func TestRetention(t *testing.T) {
	sources := func() []Source {
		return []Source{from("a@9", "a@5", "-b@7", "-d@3"), from("a@2", "b@6", "b@1", "c@4", "d@1"), from()}
	}
	for _, c := range []struct {
		oldest uint64
		bottom bool
		want   []string
	}{
		{0, true, []string{"a@9", "a@5", "a@2", "-b@7", "b@6", "b@1", "c@4", "-d@3", "d@1"}},
		{6, false, []string{"a@9", "a@5", "-b@7", "b@6", "c@4", "-d@3"}},
		{6, true, []string{"a@9", "a@5", "-b@7", "b@6", "c@4"}},
		{9, true, []string{"a@9", "c@4"}},
		{9, false, []string{"a@9", "-b@7", "c@4", "-d@3"}},
	} {
		got, _, err := merged(t, Options{Snapshots: []uint64{c.oldest}, Bottom: c.bottom}, sources()...)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("oldest %d, bottom %v: %v, want %v (%v)", c.oldest, c.bottom, got, c.want, err)
		}
	}
}

// TestRetentionBySnapshots: between snapshots nothing stays but what one of them
// sees, and the tombstone that ended what the older one sees.
func TestRetentionBySnapshots(t *testing.T) {
	for _, c := range []struct {
		name      string
		snapshots []uint64
		bottom    bool
		versions  []string
		want      []string
	}{
		{"churn under an old snapshot", []uint64{2, 20}, false, []string{"a@19", "a@15", "a@9", "a@5", "a@2", "a@1"}, []string{"a@19", "a@2"}},
		{"two old snapshots", []uint64{2, 10, 20}, true, []string{"a@19", "a@15", "a@9", "a@5", "a@1"}, []string{"a@19", "a@9", "a@1"}},
		{"newer than all stay", []uint64{2, 10}, true, []string{"a@19", "a@15", "a@9", "a@5", "a@1"}, []string{"a@19", "a@15", "a@9", "a@1"}},
		{"no snapshots", nil, true, []string{"a@19", "-a@15", "a@9", "-b@3"}, []string{"a@19", "-a@15", "a@9", "-b@3"}},
		{"the row that is seen was deleted, others came", []uint64{2, 20}, true, []string{"a@19", "-a@15", "a@9", "-a@5", "a@4", "a@1"}, []string{"a@19", "-a@5", "a@1"}},
		{"older rows may come beneath it", []uint64{2, 20}, true, []string{"-a@19", "a@15", "b@1"}, []string{"-a@19", "b@1"}},
		{"everybody sees that it is gone", []uint64{19, 20}, true, []string{"-a@19", "a@15", "b@1"}, []string{"b@1"}},
		{"it may be below", []uint64{2, 20}, false, []string{"-a@19", "a@15", "b@1"}, []string{"-a@19", "b@1"}},
		{"seen and deleted", []uint64{2, 20}, true, []string{"-a@19", "a@15", "-a@12", "a@2"}, []string{"-a@19", "-a@12", "a@2"}},
	} {
		got, _, err := merged(t, Options{Snapshots: c.snapshots, Bottom: c.bottom}, from(c.versions...))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v (%v)", c.name, got, c.want, err)
		}
	}
}

func TestOutputsAreCutBetweenKeys(t *testing.T) {
	got, files, err := merged(t, Options{TargetBytes: 1}, from("a@3", "a@2", "b@1"), from("c@1"))
	if err != nil || len(got) != 4 || files != 1 && files != 3 {
		t.Errorf("%v in %d files: %v", got, files, err)
	}
}

func TestFailedMergeLeavesNothing(t *testing.T) {
	broken, stop := errors.New("broken"), errors.New("stop")
	cases := map[string]struct {
		o    Options
		src  []Source
		want error
	}{
		"source fails at once": {Options{}, []Source{&list{err: broken}}, broken},
		"source fails later":   {Options{}, []Source{from("a@1"), &list{items: []string{"", "b@1"}, err: broken}}, broken},
		"told to stop":         {Options{Stop: func() error { return stop }}, []Source{from("a@1")}, stop},
		"duplicate": {Options{Snapshots: []uint64{9}, Duplicate: func(key []byte, _ Source) error { return broken }},
			[]Source{from("a@2"), from("a@1")}, broken},
	}
	for name, c := range cases {
		if _, files, err := merged(t, c.o, c.src...); !errors.Is(err, c.want) || files != 0 {
			t.Errorf("%s: %v, %d files", name, err, files)
		}
	}
}

func TestPick(t *testing.T) {
	seg := func(lower, upper string, bytes int64) Segment {
		return Segment{Bytes: bytes, MinKey: []byte(lower), MaxKey: []byte(upper)}
	}
	big := int64(TargetBytes)
	base := []Segment{seg("a", "c", big), seg("d", "f", big), seg("g", "i", big)}
	if p, ok := Pick([]Segment{seg("a", "z", 1)}, base, TargetBytes); ok {
		t.Errorf("one run in level 0: %+v", p)
	}
	level0 := []Segment{seg("e", "e", big/8), seg("f", "f", big/8), seg("d", "e", big/8), seg("e", "g", big/8)}
	if p, ok := Pick(level0, base, TargetBytes); !ok || p != (Plan{Level0: 4, Lower: 1, Upper: 3}) {
		t.Errorf("full level 0: %+v %v", p, ok)
	}
	level0 = []Segment{seg("a", "z", 1), seg("f", "f", 1), seg("d", "e", 1), seg("e", "g", 1)}
	if p, ok := Pick(level0, base, TargetBytes); !ok || p != (Plan{Level0: 4, Above: true}) {
		t.Errorf("small runs above all of the base: %+v %v", p, ok)
	}
	level0[0].Bytes = 3*big/8 - 3
	if p, ok := Pick(level0, base, TargetBytes); !ok || p != (Plan{Level0: 4, Upper: 3}) {
		t.Errorf("an eighth of the base above it: %+v %v", p, ok)
	}
	large := append(slices.Repeat(base[:1], 100), base...)
	level0[0].Bytes = 4*big - 3
	if p, ok := Pick(level0, large, TargetBytes); !ok || p != (Plan{Level0: 4, Above: true}) {
		t.Errorf("as much as fits in four segments: %+v %v", p, ok)
	}
	level0[0].Bytes++
	if p, ok := Pick(level0, large, TargetBytes); !ok || p != (Plan{Level0: 4, Upper: len(large)}) {
		t.Errorf("more than fits in four segments: %+v %v", p, ok)
	}
	if p := All(nil, base); p != (Plan{}) {
		t.Errorf("empty level 0: %+v", p)
	}
	small := append([]Segment{}, base...)
	for i := range smallCount {
		small = append(small, seg(fmt.Sprint("k", i), fmt.Sprint("k", i), 10))
	}
	if p, ok := Pick(nil, small, TargetBytes); !ok || p != (Plan{Lower: 3, Upper: 3 + smallCount}) {
		t.Errorf("small ones side by side: %+v %v", p, ok)
	}
	if _, ok := Pick(nil, small[:len(small)-1], TargetBytes); ok {
		t.Error("too few small ones are merged")
	}
	base[1].DeadShare = 0.6
	if p, ok := Pick(nil, base, TargetBytes); !ok || p != (Plan{Lower: 1, Upper: 2}) {
		t.Errorf("mostly tombstones: %+v %v", p, ok)
	}
	if p, ok := Pick([]Segment{seg("a", "z", 1)}, base, TargetBytes); !ok || p != (Plan{Lower: 1, Upper: 2}) {
		t.Errorf("mostly tombstones below a small run: %+v %v", p, ok)
	}
	if p, ok := Pick([]Segment{seg("a", "z", big)}, base, TargetBytes); ok {
		t.Errorf("mostly tombstones below a run that will be merged with them: %+v", p)
	}
}
