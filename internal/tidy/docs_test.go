package tidy_test

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents lists the Markdown files of the module.
func documents(t *testing.T) map[string]string {
	docs := map[string]string{}
	err := walk(func(name string) error {
		if path.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(top, filepath.FromSlash(name)))
		docs[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// TestLinksLeadSomewhere checks links between documents; it asks no server on the network.
func TestLinksLeadSomewhere(t *testing.T) {
	docs := documents(t)
	for name, text := range docs {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target := match[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			full := name
			if file != "" {
				full = path.Join(path.Dir(name), file)
				if _, err := os.Stat(filepath.Join(top, filepath.FromSlash(full))); err != nil {
					t.Errorf("%s links to %s, which is not there", name, target)
					continue
				}
			}
			if anchor != "" && !anchors(docs[full])[anchor] {
				t.Errorf("%s links to %s, which has no such heading", name, target)
			}
		}
	}
}

// anchors lists the headings of a document as links name them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		var anchor strings.Builder
		for _, r := range strings.ToLower(match[1]) {
			switch {
			case r == ' ':
				anchor.WriteByte('-')
			case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
				anchor.WriteRune(r)
			}
		}
		found[anchor.String()] = true
	}
	return found
}

// named matches `folder.Function` and `folder.Type.Method` in backquotes; the folder counts from the module's root.
var named = regexp.MustCompile("`((?:[a-z0-9]+/)*[a-z0-9]+)\\.([A-Za-z_]\\w*(?:\\.[A-Za-z_]\\w*)?)`")

// minSteps is what the story of the SELECT and the INSERT needs; fewer names mean that the test no longer sees them.
const minSteps = 12

// TestArchitectureNamesExist checks that every function that docs/architecture.md names is still there.
func TestArchitectureNamesExist(t *testing.T) {
	text, ok := documents(t)["docs/architecture.md"]
	if !ok {
		t.Fatal("docs/architecture.md is missing")
	}
	declared := map[string]bool{}
	for _, file := range files(t) {
		pkg := file.pkg
		if pkg == "." {
			pkg = "omendb"
		}
		for _, decl := range file.syntax.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				name := decl.Name.Name
				if r := receiver(decl); r != "" {
					name = r + "." + name
				}
				declared[pkg+"."+name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok {
						declared[pkg+"."+spec.Name.Name] = true
						declareMethods(declared, pkg, spec)
					}
				}
			}
		}
	}
	count := 0
	for _, match := range named.FindAllStringSubmatch(text, -1) {
		if ext := match[2]; ext == "go" || ext == "md" || ext == "txt" {
			continue
		}
		count++
		if !declared[match[1]+"."+match[2]] {
			t.Errorf("docs/architecture.md names %s.%s, which does not exist", match[1], match[2])
		}
	}
	if count < minSteps {
		t.Errorf("docs/architecture.md names %d functions, fewer than %d", count, minSteps)
	}
}

// declareMethods adds the methods of an interface.
func declareMethods(declared map[string]bool, pkg string, spec *ast.TypeSpec) {
	face, ok := spec.Type.(*ast.InterfaceType)
	if !ok {
		return
	}
	for _, method := range face.Methods.List {
		for _, name := range method.Names {
			declared[pkg+"."+spec.Name.Name+"."+name.Name] = true
		}
	}
}
