package tidy_test

import (
	"bytes"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines bounds a file of code: past it, it holds more than one thing. Tests and generated tables may be longer.
const maxLines = 800

func TestFileLength(t *testing.T) {
	for _, file := range files(t) {
		if lines := bytes.Count(file.text, []byte("\n")); lines > maxLines && !file.test && !file.generated() {
			t.Errorf("%s has %d lines, more than %d: split it by concern", file.name, lines, maxLines)
		}
	}
}

func TestExportedNamesAreExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, file := range files(t) {
		if file.test || file.generated() {
			continue
		}
		explained[file.pkg] = explained[file.pkg] || file.syntax.Doc != nil
		for _, decl := range file.syntax.Decls {
			for _, name := range unexplained(decl) {
				t.Errorf("%s: exported %s has no comment", file.at(decl), name)
			}
		}
	}
	for pkg, ok := range explained {
		if !ok {
			t.Errorf("package %s has no package comment", pkg)
		}
	}
}

// conventional are methods whose meaning the standard library gives.
var conventional = []string{"Error", "String", "Unwrap", "Is", "Len", "Less", "Swap"}

// unexplained lists the exported names that a declaration introduces without a comment.
func unexplained(decl ast.Decl) []string {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Name.IsExported() && decl.Doc == nil && !slices.Contains(conventional, decl.Name.Name) && (decl.Recv == nil || ast.IsExported(receiver(decl))) {
			return []string{decl.Name.Name}
		}
	case *ast.GenDecl:
		if decl.Doc != nil {
			return nil
		}
		var names []string
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil {
					names = append(names, spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() && spec.Doc == nil && spec.Comment == nil {
						names = append(names, name.Name)
					}
				}
			}
		}
		return names
	}
	return nil
}

// receiver is the name of a method's type.
func receiver(decl *ast.FuncDecl) string {
	if decl.Recv == nil || len(decl.Recv.List) == 0 {
		return ""
	}
	expr := decl.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// TestTheWorldIsPassedIn keeps the engine and the log replayable: they start no goroutine and ask neither the clock nor
// chance nor the operating system; all of that is handed to them.
func TestTheWorldIsPassedIn(t *testing.T) {
	packages := []string{"os", "os/exec", "math/rand", "math/rand/v2", "crypto/rand", "net", "syscall"}
	calls := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, file := range files(t) {
		if file.test || !under(file.pkg, "engine") && !under(file.pkg, "wal") {
			continue
		}
		for _, imported := range file.imports() {
			if slices.Contains(packages, imported) && !worldly(file.name) {
				t.Errorf("%s imports %s: the world is passed in", file.name, imported)
			}
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: a go statement: hand the work to the executor", file.at(n))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(calls, n.Sel.Name) {
					t.Errorf("%s: time.%s: take the time from the clock", file.at(n), n.Sel.Name)
				}
			}
			return true
		})
	}
}

// worldly names the files that may touch the operating system: those that map anonymous memory, and those that read the
// numbers of its errors (a full disk is ENOSPC).
func worldly(name string) bool {
	if under(name, "engine/errors.go") || strings.HasPrefix(name, "wal/errors") {
		return true
	}
	return strings.HasPrefix(name, "engine/segment/cache/arena") || strings.HasPrefix(name, "engine/memtable/arena")
}

func TestNoLooseEnds(t *testing.T) {
	loose := regexp.MustCompile(`\b(TODO|FIXME|HACK)\b`)
	for _, file := range files(t) {
		if file.pkg == "internal/tidy" {
			continue
		}
		for _, group := range file.syntax.Comments {
			for _, comment := range group.List {
				if loose.MatchString(comment.Text) {
					t.Errorf("%s: %s", file.at(comment), strings.TrimSpace(comment.Text))
				}
			}
		}
	}
}

// TestNoPathsOfAMachine keeps what belongs to one developer's machine out of the sources.
func TestNoPathsOfAMachine(t *testing.T) {
	for _, file := range files(t) {
		if file.pkg == "internal/tidy" {
			continue
		}
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if strings.Contains(lit.Value, "/work/") || strings.Contains(lit.Value, ":54329") || strings.Contains(lit.Value, "/home/") {
					t.Errorf("%s: %s names a place of one machine", file.at(lit), lit.Value)
				}
			}
			return true
		})
	}
}
