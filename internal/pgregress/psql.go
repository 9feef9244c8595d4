package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// script runs one script and scores it; with several expected files, by the one that fits best.
func (r *runner) script(ctx context.Context, name string) (score, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, "sql", name+".sql"))
	if err != nil {
		return score{}, err
	}
	echo := map[string]bool{}
	if main, err := os.ReadFile(filepath.Join(r.dir, "expected", name+".out")); err == nil {
		for line := range strings.SplitSeq(string(main), "\n") {
			echo[line] = true
		}
	}
	units := split(string(text), echo)
	got, err := r.psqlOutputs(ctx, name, units)
	if err != nil {
		return score{}, err
	}
	variants, err := filepath.Glob(filepath.Join(r.dir, "expected", name+"*.out"))
	if err != nil {
		return score{}, err
	}
	var best score
	var bestWant [][]string
	for _, file := range variants {
		base := strings.TrimSuffix(filepath.Base(file), ".out")
		if base != name && !regexp.MustCompile(`^`+regexp.QuoteMeta(name)+`_\d$`).MatchString(base) {
			continue
		}
		expected, err := os.ReadFile(file)
		if err != nil {
			return score{}, err
		}
		want, found := align(units, string(expected))
		s := judge(units, want, found, got)
		if bestWant == nil || s.all.exact > best.all.exact {
			best, bestWant = s, want
		}
	}
	r.note(name, units, best, bestWant, got)
	return best, nil
}

// note writes the statements that differ into the details.
func (r *runner) note(name string, units []unit, s score, want, got [][]string) {
	if r.log == nil {
		return
	}
	for _, i := range s.differ {
		fmt.Fprintf(r.log, "==== %s\n%s\n---- expected\n%s\n---- got\n%s\n", name,
			strings.Join(units[i].lines, "\n"), strings.Join(want[i], "\n"), strings.Join(got[i], "\n"))
	}
}

// psqlOutputs sends the units through psql and returns what it printed for each.
func (r *runner) psqlOutputs(ctx context.Context, name string, units []unit) ([][]string, error) {
	var input strings.Builder
	sent := make([][]string, len(units))
	vars := map[string]string{}
	for i, u := range units {
		lines, err := r.rewrite(name, i, u, vars)
		if err != nil {
			return nil, err
		}
		sent[i] = lines
		input.WriteString(strings.Join(lines, "\n"))
		fmt.Fprintf(&input, "\n\\echo %s\n", marker(i))
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.psql, "-X", "-a", "-q", "-d", r.dsn, "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on")
	cmd.Dir = r.scratch
	cmd.Stdin = strings.NewReader(input.String())
	cmd.Env = append(os.Environ(), "PGTZ=America/Los_Angeles", "PGDATESTYLE=Postgres, MDY",
		"PGOPTIONS=-c intervalstyle=postgres_verbose", "PG_ABS_SRCDIR="+r.dir, "PG_ABS_BUILDDIR="+r.scratch, "PG_LIBDIR=", "PG_DLSUFFIX=.so")
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		fmt.Printf("%s: not done in %v\n", name, r.timeout)
		r.broken++
	} else if err != nil && len(output) == 0 {
		return nil, fmt.Errorf("psql: %w", err)
	} else if lost.Match(output) {
		fmt.Printf("%s: the connection ended\n", name)
		r.broken++
	}
	return cut(units, sent, string(output)), nil
}

func marker(i int) string { return fmt.Sprintf("@@%d@@", i) }

// cut finds each unit's output between the markers, without the echo of its lines.
func cut(units []unit, sent [][]string, output string) [][]string {
	got := make([][]string, len(units))
	lines := strings.Split(output, "\n")
	at := 0
	for i := range units {
		end := at
		for end < len(lines) && lines[end] != `\echo `+marker(i) {
			end++
		}
		if end == len(lines) {
			got[i] = []string{"(no output: the connection or psql ended, or a branch was not taken)"}
			continue
		}
		segment := lines[at:end]
		if from, ok := echoed(segment, 0, sent[i]); ok {
			segment = segment[from:]
		}
		got[i] = segment
		at = end + 1
		if at < len(lines) && lines[at] == marker(i) {
			at++
		}
	}
	return got
}

// lost is what psql says when the server went away.
var lost = regexp.MustCompile(`(?m)^(psql:\S+ )?(server closed the connection unexpectedly|connection to server was lost)`)

var (
	getenv   = regexp.MustCompile(`^\\getenv\s+(\w+)\s+(\w+)`)
	setVar   = regexp.MustCompile(`^\\set\s+(\w+)\s+(.*)$`)
	setPiece = regexp.MustCompile(`:'?(\w+)'?|'([^']*)'|(\S+)`)
	copyFile = regexp.MustCompile(`(?is)^\s*copy\s(.*?)\b(from|to)\s+(:'\w+'|'[^']*')(.*?);?\s*$`)
	copyIn   = regexp.MustCompile(`(?is)^\s*\\?copy\s(.*?)\bfrom\s+stdin\b(.*?);?\s*$`)
	spaces   = regexp.MustCompile(`\s+`)
)

// rewrite returns the lines to send for a unit: COPY with a server's file or inline data becomes \copy with a file here.
// It follows \set and \getenv, since \copy takes no variables.
func (r *runner) rewrite(name string, i int, u unit, vars map[string]string) ([]string, error) {
	if m := getenv.FindStringSubmatch(u.sql); m != nil {
		vars[m[1]] = map[string]string{"PG_ABS_SRCDIR": r.dir, "PG_ABS_BUILDDIR": r.scratch, "PG_DLSUFFIX": ".so"}[m[2]]
	} else if m := setVar.FindStringSubmatch(u.sql); m != nil {
		value := ""
		for _, piece := range setPiece.FindAllStringSubmatch(m[2], -1) {
			if piece[1] != "" {
				value += vars[piece[1]]
			} else {
				value += piece[2] + piece[3]
			}
		}
		vars[m[1]] = value
	}
	oneLine := func(s string) string { return spaces.ReplaceAllString(s, " ") }
	if u.inline {
		file := filepath.Join(r.scratch, fmt.Sprintf("%s_%d.data", name, i))
		data := ""
		if len(u.data) > 0 {
			data = strings.Join(u.data, "\n") + "\n"
		}
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			return nil, err
		}
		if m := copyIn.FindStringSubmatch(u.sql); m != nil {
			return []string{fmt.Sprintf(`\copy %s from '%s' %s`, oneLine(m[1]), file, oneLine(m[2]))}, nil
		}
	}
	if m := copyFile.FindStringSubmatch(u.sql); m != nil {
		file := strings.Trim(m[3], ":'")
		if strings.HasPrefix(m[3], ":") {
			file = vars[file]
		}
		return []string{fmt.Sprintf(`\copy %s %s '%s' %s`, oneLine(m[1]), strings.ToLower(m[2]), file, oneLine(m[4]))}, nil
	}
	return u.lines, nil
}
