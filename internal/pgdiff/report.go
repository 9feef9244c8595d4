package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// failure is a statement on which the servers differ.
type failure struct {
	seed            uint64
	why             string
	sql             string
	want, got       outcome
	setup, settings []string
}

// report adds outcomes up, of several workers.
type report struct {
	mu       sync.Mutex
	counts   [classes]int
	reasons  [classes]map[string]int // how often each kind of failure was seen
	failures [classes]map[string][]failure
	messages map[string]int
	shrunk   int
	perKind  int // failures of one kind that are kept, made smaller and printed
}

// maxShrunk bounds the statements that are made smaller in one run: each takes as long as hundreds of others.
const maxShrunk = 400

func newReport(perKind int) *report {
	r := &report{messages: map[string]int{}, perKind: perKind}
	for i := range classes {
		r.reasons[i], r.failures[i] = map[string]int{}, map[string][]failure{}
	}
	return r
}

// kind makes one reason of those that differ in names and values only.
func kind(v verdict) string {
	return quoted.ReplaceAllString(v.why, "$1…$1")
}

var quoted = regexp.MustCompile(`(["'])[^"']*["']`)

// wants reports whether a failure is worth making smaller.
func (r *report) wants(v verdict) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v.class <= sameError || v.class == skipped || r.shrunk >= maxShrunk {
		return false
	}
	keep := r.perKind
	switch v.class {
	case wrong:
		keep *= 10 // reasons say little about what is wrong
	case unsupported:
		keep = 1
	}
	if len(r.failures[v.class][kind(v)]) >= keep {
		return false
	}
	r.shrunk++
	return true
}

// add counts a statement, and keeps its failure if it was made smaller or is the first of its kind.
func (r *report) add(v verdict, f failure) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[v.class]++
	if v.class <= sameError || v.class == skipped {
		return
	}
	if v.class == wrong {
		fmt.Fprintf(os.Stderr, "\nwrong in -round %d: %s %s: %s\n", f.seed, v.why, f.got.message, f.sql)
	}
	k := kind(v)
	r.reasons[v.class][k]++
	list := r.failures[v.class][k]
	if len(list) < r.perKind || v.class == wrong && len(list) < 10*r.perKind {
		r.failures[v.class][k] = append(list, f)
	}
}

// message counts error messages that differ though the SQLSTATE is the same.
func (r *report) message(want, got string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages[quoted.ReplaceAllString("want "+want+"\n      got  "+got, "$1…$1")]++
}

func (r *report) total() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.counts {
		n += c
	}
	return n
}

// count returns how many statements ended in a way.
func (r *report) count(c class) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[c]
}

// write prints the failures and the figures.
func (r *report) write(w io.Writer) {
	for _, c := range []class{unsupported, otherState, wrong} {
		for _, k := range byCount(r.reasons[c]) {
			fmt.Fprintf(w, "=== %s ×%d: %s\n", classNames[c], r.reasons[c][k], k)
			for _, f := range r.failures[c][k] {
				f.write(w)
			}
		}
	}
	if len(r.messages) > 0 {
		fmt.Fprintf(w, "=== messages that differ\n")
	}
	for _, m := range byCount(r.messages) {
		fmt.Fprintf(w, "%4d  %s\n", r.messages[m], m)
	}
	total := max(r.total(), 1)
	fmt.Fprintf(w, "=== %d statements\n", r.total())
	for c := range classes {
		fmt.Fprintf(w, "%-12s %8d %8.3f %%\n", classNames[c], r.counts[c], 100*float64(r.counts[c])/float64(total))
	}
}

func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
}

// shownRows bounds the rows that a failure prints.
const shownRows = 6

func (f *failure) write(w io.Writer) {
	fmt.Fprintf(w, "--- -round %d\n", f.seed)
	fmt.Fprintf(w, "%s;\n", f.sql)
	write := func(who string, o outcome) {
		if o.code != "" {
			fmt.Fprintf(w, "  %s: ERROR %s %s\n", who, o.code, o.message)
			return
		}
		fmt.Fprintf(w, "  %s: %s %v\n", who, o.tag, o.columns)
		for i, row := range o.rows {
			if i == shownRows {
				fmt.Fprintf(w, "    … and %d more\n", len(o.rows)-shownRows)
				break
			}
			fmt.Fprintf(w, "    %s\n", row)
		}
	}
	write("postgresql", f.want)
	write("omendb    ", f.got)
}

// script prints the statements that lead to a failure.
func (f *failure) script(w io.Writer) {
	for _, s := range append(append(append([]string{}, f.settings...), f.setup...), f.sql) {
		fmt.Fprintf(w, "%s;\n", s)
	}
}
