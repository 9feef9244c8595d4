package sqllogic

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Report adds results up by folder. Its methods may be called from several goroutines.
type Report struct {
	mu       sync.Mutex
	folders  map[string]*figure
	failures []Failure
	excess   int // failures beyond the bound
}

type figure struct{ scripts, counted, passed, notYet int }

// maxReported bounds the failures that a report prints.
const maxReported = 60

// Add counts one script.
func (r *Report) Add(result Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.folders == nil {
		r.folders = map[string]*figure{}
	}
	folder := path.Dir(result.Script)
	f := r.folders[folder]
	if f == nil {
		f = &figure{}
		r.folders[folder] = f
	}
	f.scripts++
	f.counted += result.Counted
	f.passed += result.Passed
	f.notYet += result.NotYet
	for _, failure := range result.Failures {
		if len(r.failures) < maxReported {
			r.failures = append(r.failures, failure)
		}
	}
	r.excess = r.failed() - len(r.failures)
}

func (r *Report) failed() int {
	n := 0
	for _, f := range r.folders {
		n += f.counted - f.passed
	}
	return n
}

// Share is the percentage of counted records that passed, 100 when none counted.
func (r *Report) Share() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all figure
	for _, f := range r.folders {
		all.counted += f.counted
		all.passed += f.passed
	}
	return all.share()
}

func (f figure) share() float64 {
	if f.counted == 0 {
		return 100
	}
	return 100 * float64(f.passed) / float64(f.counted)
}

// Write prints the failures and the figures by folder: records passed of the records that PostgreSQL passes.
func (r *Report) Write(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.failures {
		fmt.Fprintln(w, f)
	}
	if r.excess > 0 {
		fmt.Fprintf(w, "... and %d more failures\n", r.excess)
	}
	names := make([]string, 0, len(r.folders))
	for name := range r.folders {
		names = append(names, name)
	}
	sort.Strings(names)
	var all figure
	fmt.Fprintf(w, "%-28s %8s %9s %9s %8s %8s\n", "folder", "scripts", "passed", "of", "%", "not yet")
	for _, name := range names {
		f := r.folders[name]
		all.scripts += f.scripts
		all.counted += f.counted
		all.passed += f.passed
		all.notYet += f.notYet
		fmt.Fprintf(w, "%-28s %8d %9d %9d %8.2f %8d\n", name, f.scripts, f.passed, f.counted, f.share(), f.notYet)
	}
	fmt.Fprintf(w, "%-28s %8d %9d %9d %8.2f %8d\n", "all", all.scripts, all.passed, all.counted, all.share(), all.notYet)
}

// ExcusedRecords reads a list of records that PostgreSQL itself fails, "script:line" by line. A missing file excuses nothing.
func ExcusedRecords(name string) (func(script string, line int) bool, error) {
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return func(string, int) bool { return false }, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	type place struct {
		script string
		line   int
	}
	excused := map[place]bool{}
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		i := strings.LastIndexByte(line, ':')
		if line == "" || strings.HasPrefix(line, "#") || i < 0 {
			continue
		}
		n, err := strconv.Atoi(line[i+1:])
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no script:line", name, line)
		}
		excused[place{line[:i], n}] = true
	}
	return func(script string, line int) bool { return excused[place{script, line}] }, sc.Err()
}

// Scripts lists the *.test files below a folder by their slash-separated paths, in order.
func Scripts(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() && strings.HasSuffix(name, ".test") {
			rel, err := filepath.Rel(dir, name)
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	sort.Strings(names)
	return names, err
}
