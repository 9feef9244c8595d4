package main

import "strings"

// align finds the output of each unit in an expected file, which holds the echo of every line of the script and, after
// the line at which psql acts, what it prints. A unit whose echo is not found has no expectation.
func align(units []unit, expected string) (outputs [][]string, found []bool) {
	lines := strings.Split(strings.TrimSuffix(expected, "\n"), "\n")
	outputs, found = make([][]string, len(units)), make([]bool, len(units))
	last, from := -1, 0
	for i, u := range units {
		start, end, ok := locate(lines, from, u.lines)
		if !ok {
			continue
		}
		if last >= 0 {
			outputs[last] = lines[from:start]
		}
		found[i] = true
		last, from = i, end
	}
	if last >= 0 {
		outputs[last] = lines[from:]
	}
	return outputs, found
}

// locate finds the echo of a unit's lines at or after a line. psql echoes empty lines only inside quotes.
func locate(lines []string, from int, echo []string) (start, end int, ok bool) {
	for start = from; start < len(lines); start++ {
		if end, ok = echoed(lines, start, echo); ok {
			return start, end, true
		}
	}
	return 0, 0, false
}

// echoed reports whether the echo stands exactly at a place, and where it ends.
func echoed(lines []string, at int, echo []string) (end int, ok bool) {
	some := false
	for _, line := range echo {
		if line == "" {
			if some && at < len(lines) && lines[at] == "" {
				at++
			}
			continue
		}
		if at >= len(lines) || lines[at] != line {
			return 0, false
		}
		some = true
		at++
	}
	return at, some
}
