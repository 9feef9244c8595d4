package history

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// play builds a history from lines, one for each transaction:
//
//	c a1 r2=0.0,1.0 p3=   committed: appended to key 1, read key 2 as the first
//	                      values of T0 and T1, read key 3 as empty in a range
//
// The first letter is the outcome: c committed, x rolled back, u unknown. A
// value is written as transaction.number. The last line gives the final lists.
func play(t *testing.T, lines ...string) *History {
	t.Helper()
	h := New()
	list := func(text string) string {
		var out []string
		for v := range strings.SplitSeq(text, ",") {
			if id, n, ok := strings.Cut(v, "."); ok {
				a, _ := strconv.ParseInt(id, 10, 64)
				b, _ := strconv.ParseInt(n, 10, 64)
				out = append(out, strconv.FormatInt(a*valuesEach+b, 10))
			}
		}
		return strings.Join(out, ",")
	}
	txns := make([]*Txn, len(lines)-1)
	for i := range txns {
		txns[i] = h.Begin()
	}
	for i, line := range lines {
		for _, word := range strings.Fields(line) {
			switch word {
			case "c":
				txns[i].Outcome = Committed
				continue
			case "x":
				txns[i].Outcome = RolledBack
				continue
			case "u", "end":
				continue
			}
			name, value, _ := strings.Cut(word[1:], "=")
			key, err := strconv.Atoi(name)
			if err != nil {
				t.Fatal(word)
			}
			switch word[0] {
			case 'a':
				txns[i].append(key)
			case 'r', 'p':
				h.read(txns[i], key, list(value), word[0] == 'p')
			case 'f':
				h.observe(nil, int32(key), parseList(list(value)), false)
			}
		}
	}
	return h
}

// TestCheckFinds feeds the checker histories that are known to be bad, and good ones beside them.
func TestCheckFinds(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string // classes, sorted
	}{
		"nothing":               {[]string{"c a1", "c r1=0.0 a1", "end f1=0.0,1.0"}, ""},
		"dirty write":           {[]string{"c a1 a2", "c a1 a2", "end f1=0.0,1.0 f2=1.1,0.1"}, "G0"},
		"aborted read":          {[]string{"x a1", "c r1=0.0", "end"}, "G1a"},
		"aborted append stays":  {[]string{"x a1", "end f1=0.0"}, "G1a"},
		"intermediate read":     {[]string{"c a1 a1", "c r1=0.0", "end f1=0.0,0.1"}, "G-single G1b"},
		"circular information":  {[]string{"c a1 r2=1.0", "c a2 r1=0.0", "end f1=0.0 f2=1.0"}, "G1c"},
		"lost update":           {[]string{"c r1= a1", "c r1= a1", "end f1=0.0,1.0"}, "G-single"},
		"lost update, read all": {[]string{"c a9", "c r1= a1", "c r1= a1", "end f1=1.0,2.0 f9=0.0"}, "G-single"},
		"read skew":             {[]string{"c a1 a2", "c r1= r2=0.1", "end f1=0.0 f2=0.1"}, "G-single"},
		"write skew":            {[]string{"c r1= a2", "c r2= a1", "end f1=1.0 f2=0.0"}, "G2-item"},
		"write skew of ranges":  {[]string{"c p1= a2", "c p2= a1", "end f1=1.0 f2=0.0"}, "G2"},
		"read-only anomaly": {[]string{"c r1= r2= a1", "c r2= a2", "c r1= r2=1.0",
			"end f1=0.0 f2=1.0"}, "G2-item"},
		"long fork":          {[]string{"c a1", "c a2", "c r1=0.0 r2=", "c r1= r2=1.0", "end f1=0.0 f2=1.0"}, "G-nonadjacent"},
		"lost append":        {[]string{"c a1", "c a1", "end f1=0.0"}, "lost"},
		"doubled append":     {[]string{"c a1", "end f1=0.0,0.0"}, "duplicate"},
		"two orders":         {[]string{"c a1", "c a1", "c r1=1.0,0.0", "end f1=0.0,1.0"}, "incompatible order"},
		"torn unknown":       {[]string{"u a1 a2", "end f1=0.0 f2="}, "lost"},
		"unknown, not there": {[]string{"u a1 a2", "c r1=", "end"}, ""},
		"unknown, there":     {[]string{"u a1 a2", "c r1=0.0 r2=", "end f1=0.0 f2=0.1"}, "G-single"},
		"unrepeatable":       {[]string{"c a1", "c r1= r1=0.0", "end f1=0.0"}, "G-single unrepeatable"},
		"own append missing": {[]string{"c a1 r1=", "end f1=0.0"}, "internal"},
		"three in a circle":  {[]string{"c r1= a2", "c r2= a3", "c r3= a1", "end f1=2.0 f2=0.0 f3=1.0"}, "G2-item"},
		"a good crowd":       {[]string{"c r1= a1", "c r1=0.0 a2", "c r2=1.0 r1=0.0 p3=", "c a3 r2=1.0", "end f1=0.0 f2=1.0 f3=3.0"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, a := range play(t, c.lines...).Check() {
				got = append(got, a.Class)
				t.Log(a)
			}
			slices.Sort(got)
			if got := strings.Join(slices.Compact(got), " "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestLevels: what a level permits, all weaker ones do.
func TestLevels(t *testing.T) {
	if len(permitted[Serializable]) != 0 {
		t.Error("SERIALIZABLE permits something")
	}
	for _, class := range permitted[RepeatableRead] {
		if !ReadCommitted.Permits(Anomaly{Class: class}) {
			t.Errorf("%s is permitted at REPEATABLE READ and not at READ COMMITTED", class)
		}
	}
	h := play(t, "c r1= a2", "c r2= a1", "end f1=1.0 f2=0.0")
	if len(h.Violations(RepeatableRead)) != 0 || len(h.Violations(Serializable)) != 1 {
		t.Error("write skew is judged wrongly")
	}
}
