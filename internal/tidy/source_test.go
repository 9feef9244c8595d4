package tidy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/omendb/omendb"

// source is one Go file of the module.
type source struct {
	name    string // slash-separated, from the module's root
	pkg     string // its folder, "." for the root
	test    bool
	text    []byte
	syntax  *ast.File
	fileset *token.FileSet
}

// at is a position for a message.
func (s source) at(n ast.Node) string { return s.fileset.Position(n.Pos()).String() }

// generated reports whether a tool wrote the file.
func (s source) generated() bool { return ast.IsGenerated(s.syntax) }

// imports lists the import paths of the file.
func (s source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}

// top is the module's root, seen from this package.
const top = "../.."

// sources parses every Go file of the module once.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		fileset := token.NewFileSet()
		syntax, err := parser.ParseFile(fileset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		all = append(all, source{
			name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			text: text, syntax: syntax, fileset: fileset,
		})
		return nil
	})
	return all, err
})

// walk visits the files of the module by their slash-separated names; hidden folders and test data are left out.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			base := entry.Name()
			if rel != "." && (strings.HasPrefix(base, ".") || base == "testdata" || base == "omendb-data") {
				return filepath.SkipDir
			}
			return nil
		}
		return visit(rel)
	})
}

// files returns the parsed files, the test's failures being the parser's.
func files(t *testing.T) []source {
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d Go files below the module's root: is this the right folder?", len(all))
	}
	return all
}

// under reports whether a package is the folder or lies below it.
func under(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }
