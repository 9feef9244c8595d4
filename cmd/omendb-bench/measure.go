package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// sample is one figure: nanoseconds per operation over the rounds, and beside
// which structure it is read.
type sample struct {
	Data      string  `json:"data"`
	Work      string  `json:"work"`
	Structure string  `json:"structure"`
	Keys      int     `json:"keys"`
	Median    float64 `json:"median_ns"`
	Min       float64 `json:"min_ns"`
	Max       float64 `json:"max_ns"`
	Ratio     float64 `json:"ratio"`                 // the base's median by this one's; above 1 is faster
	Note      string  `json:"note,omitempty"`        // what else was measured
	Model     float64 `json:"model_bytes,omitempty"` // per key
	Bytes     float64 `json:"index_bytes,omitempty"` // per key, of all that a look-up needs besides keys and values, the model included
	Build     float64 `json:"build_ns,omitempty"`    // per key
}

// contender does work in one round: all operations of it.
type contender struct {
	name  string
	run   func(round int) (ops int, sum uint64, err error)
	ready func(round int) // if any: called before each of its rounds, outside of its time
	rest  func()          // the same, after each
}

// processorTime is what the process has used of the processors, the collector
// included. Structures in memory are measured by it, so that what else the
// machine does costs them cache misses but no time.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return wallTime()
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// threadTime is what the calling thread has used of a processor, on Linux: what a
// commit costs whoever asks for it. Background work is not in it.
func threadTime() time.Duration {
	const self = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(self, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// settle waits until the process has become idle, or limit has passed.
func settle(limit time.Duration) {
	const step, quiet = 5 * time.Millisecond, 4
	for idle, start := 0, time.Now(); idle < quiet && time.Since(start) < limit; idle++ {
		before := processorTime()
		time.Sleep(step)
		if processorTime()-before > step/10 {
			idle = -1
		}
	}
}

var started = time.Now()

// wallTime is for stores on disk: waiting is what they do.
func wallTime() time.Duration { return time.Since(started) }

// compare runs the contenders in interleaved rounds. The first is the base of
// the ratios. All must return the sums that the base returns; 0 is no sum.
func compare(data, work string, keys, rounds int, clock func() time.Duration, list []contender) ([]sample, error) {
	times := make([][]float64, len(list))
	for round := range rounds {
		var want uint64
		for k := range list {
			i := k
			if round%2 == 1 { // no contender always follows the same other one
				i = len(list) - 1 - k
			}
			progress("%s %s: round %d of %d, %s", data, work, round+1, rounds, list[i].name)
			if list[i].ready != nil {
				list[i].ready(round)
			}
			runtime.GC() // as package testing does: nobody pays for what another one left
			start := clock()
			ops, sum, err := list[i].run(round)
			if err != nil {
				return nil, fmt.Errorf("%s %s %s: %w", data, work, list[i].name, err)
			}
			times[i] = append(times[i], float64((clock()-start).Nanoseconds())/float64(ops))
			if list[i].rest != nil {
				list[i].rest()
			}
			if want == 0 {
				want = sum
			}
			if sum != 0 && sum != want {
				return nil, fmt.Errorf("%s %s: %s returns the sum %d, others %d", data, work, list[i].name, sum, want)
			}
		}
	}
	progress("")
	out := make([]sample, len(list))
	for i := range list {
		slices.Sort(times[i])
		out[i] = sample{Data: data, Work: work, Structure: list[i].name, Keys: keys, Median: times[i][len(times[i])/2], Min: times[i][0], Max: times[i][len(times[i])-1]}
		out[i].Ratio = out[0].Median / out[i].Median
	}
	return out, nil
}

// progress shows what is going on, on a terminal's last line.
func progress(format string, args ...any) {
	if st, err := os.Stderr.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, args...)
}

// report prints samples as they come.
type report struct {
	json bool
	w    io.Writer
}

func (r report) add(list []sample) error {
	if r.json {
		e := json.NewEncoder(r.w)
		for i := range list {
			if err := e.Encode(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	columns := []struct {
		name  string
		value func(*sample) float64
	}{{"model B/key", func(s *sample) float64 { return s.Model }}, {"index B/key", func(s *sample) float64 { return s.Bytes }}, {"build ns/key", func(s *sample) float64 { return s.Build }}}
	w := tabwriter.NewWriter(r.w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\n%s, %s, %d keys\tns\tmin\tmax\tratio\t", list[0].Data, list[0].Work, list[0].Keys)
	for i := range columns {
		c := &columns[i]
		if !slices.ContainsFunc(list, func(s sample) bool { return c.value(&s) != 0 }) {
			c.value = nil // nothing has it
			continue
		}
		fmt.Fprintf(w, "%s\t", c.name)
	}
	fmt.Fprintln(w)
	for i := range list {
		s := &list[i]
		fmt.Fprintf(w, "  %s\t%.1f\t%.1f\t%.1f\t%.2fx\t", s.Structure, s.Median, s.Min, s.Max, s.Ratio)
		for _, c := range columns {
			if c.value != nil {
				fmt.Fprintf(w, "%s\t", known(c.value(s)))
			}
		}
		fmt.Fprintln(w, s.Note)
	}
	return w.Flush()
}

// known is a figure that not every structure has.
func known(x float64) string {
	switch {
	case x == 0:
		return ""
	case x < 10:
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.1f", x)
}

// heading is where the figures come from: the first line of a table or of JSON.
type heading struct {
	Machine string   `json:"machine"`
	Commit  string   `json:"commit,omitempty"`
	Command []string `json:"command"`
}

func (r report) begin() error {
	h := heading{Machine: machine(), Commit: commit(), Command: os.Args}
	if r.json {
		return json.NewEncoder(r.w).Encode(&h)
	}
	_, err := fmt.Fprintf(r.w, "%s, commit %s\n%s\n", h.Machine, cmp.Or(h.Commit, "unknown"), strings.Join(h.Command, " "))
	return err
}

// commit is what this program was built from.
func commit() (revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	changed := ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", changed"
		}
	}
	return revision + changed
}

// machine describes where the figures come from.
func machine() string {
	model := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d processors, %s %s/%s", model, runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
