// Command coverage adds a coverage profile up by package and compares it with the floors that may not be lost.
//
//	go test -coverpkg=./... -coverprofile=cover.out ./...
//	go run ./internal/coverage -profile cover.out -floors .ci/coverage.txt
//
// A statement counts as covered when any test ran it. It exits with 1 when a floor is missed.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
)

const module = "github.com/omendb/omendb/"

// figure counts statements.
type figure struct{ covered, all int }

func (f figure) share() float64 {
	if f.all == 0 {
		return 100
	}
	return 100 * float64(f.covered) / float64(f.all)
}

// floors is what the file of floors says.
type floors struct {
	folders []string // in the order of the file
	percent map[string]float64
	without []string
}

func main() {
	profile := flag.String("profile", "cover.out", "coverage profile of go test")
	floorFile := flag.String("floors", ".ci/coverage.txt", "file of floors")
	flag.Parse()
	ok, err := run(*profile, *floorFile, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(profile, floorFile string, w io.Writer) (bool, error) {
	text, err := os.ReadFile(floorFile)
	if err != nil {
		return false, err
	}
	limits, err := parseFloors(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", floorFile, err)
	}
	f, err := os.Open(profile)
	if err != nil {
		return false, err
	}
	defer f.Close()
	packages, err := readProfile(f, limits.without)
	if err != nil {
		return false, fmt.Errorf("%s: %w", profile, err)
	}
	return report(w, packages, limits), nil
}

// parseFloors reads lines "<folder> <percent>" and "without <folder>".
func parseFloors(text string) (floors, error) {
	limits := floors{percent: map[string]float64{}}
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 2 {
			return limits, fmt.Errorf("line %d: want two words", n+1)
		}
		if words[0] == "without" {
			limits.without = append(limits.without, words[1])
			continue
		}
		percent, err := strconv.ParseFloat(words[1], 64)
		if err != nil {
			return limits, fmt.Errorf("line %d: %w", n+1, err)
		}
		limits.folders = append(limits.folders, words[0])
		limits.percent[words[0]] = percent
	}
	return limits, nil
}

// readProfile counts statements by package. Each test binary reports every block, so a block stands there many times: it is
// covered when one of the lines says so.
func readProfile(r io.Reader, without []string) (map[string]figure, error) {
	type block struct {
		statements int
		covered    bool
	}
	blocks := map[string]block{}
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		line := sc.Text()
		if line == "" || strings.HasPrefix(line, "mode:") {
			continue
		}
		words := strings.Fields(line) // place statements count
		if len(words) != 3 {
			return nil, fmt.Errorf("%q is no line of a coverage profile", line)
		}
		statements, err := strconv.Atoi(words[1])
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		b := blocks[words[0]]
		blocks[words[0]] = block{statements, b.covered || words[2] != "0"}
	}
	packages := map[string]figure{}
	for place, b := range blocks {
		file, _, _ := strings.Cut(place, ":")
		pkg := path.Dir(strings.TrimPrefix(file, module))
		if left(pkg, without) {
			continue
		}
		f := packages[pkg]
		f.all += b.statements
		if b.covered {
			f.covered += b.statements
		}
		packages[pkg] = f
	}
	return packages, sc.Err()
}

func left(pkg string, without []string) bool {
	for _, folder := range without {
		if under(pkg, folder) {
			return true
		}
	}
	return false
}

func under(pkg, folder string) bool {
	return folder == "all" || pkg == folder || strings.HasPrefix(pkg, folder+"/")
}

// report prints the packages and the floors and says whether all floors are kept.
func report(w io.Writer, packages map[string]figure, limits floors) bool {
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(w, "%-28s %10s %8s\n", "package", "statements", "covered")
	for _, name := range names {
		fmt.Fprintf(w, "%-28s %10d %7.1f%%\n", name, packages[name].all, packages[name].share())
	}
	fmt.Fprintf(w, "%-28s %10s %8s %8s\n", "folder", "statements", "covered", "floor")
	ok := true
	for _, folder := range limits.folders {
		var sum figure
		for name, f := range packages {
			if under(name, folder) {
				sum.all += f.all
				sum.covered += f.covered
			}
		}
		verdict := ""
		if sum.share() < limits.percent[folder] {
			ok, verdict = false, "  below its floor"
		}
		fmt.Fprintf(w, "%-28s %10d %7.1f%% %7.1f%%%s\n", folder, sum.all, sum.share(), limits.percent[folder], verdict)
	}
	return ok
}
