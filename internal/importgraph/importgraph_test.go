// Package importgraph holds the packages of the module to the shape that ARCHITECTURE.md describes.
package importgraph

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/earshot/earshot"

// goPackage is what go list says of a package.
type goPackage struct {
	ImportPath string
	Name       string
	GoFiles    []string // without tests
	Imports    []string // of GoFiles
}

func TestImportGraph(t *testing.T) {
	packages := list(t)
	if len(packages) < 3 {
		t.Fatalf("go list found %d packages; it looked in the wrong place", len(packages))
	}
	for _, p := range packages {
		for _, fault := range faults(p) {
			t.Error(fault)
		}
	}
}

// A check that can't fail is worth nothing: each of these packages must be found at fault.
func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct{ name, imports, want string }{
		{"internal/new", "fmt", "internal/new is not in the table"},
		{"engine", module + "/internal/hub", "engine may not import internal/hub"},
		{"wire", "github.com/x/y", "wire may not import github.com/x/y"},
		{"internal/hub", module, "internal/hub may not import ."},
		{"engine/local", "github.com/cockroachdb/pebble", "engine/local may not import github.com/cockroachdb/pebble"},
		{"internal/util", "fmt", "the name says nothing"},
	} {
		p := goPackage{ImportPath: module + "/" + c.name, GoFiles: []string{"a.go"}, Imports: []string{c.imports}}
		if got := strings.Join(faults(p), "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s: got %q, want %q", c.name, c.imports, got, c.want)
		}
	}
}

// The table itself must not allow a cycle.
func TestTableHasNoCycle(t *testing.T) {
	var visit func(name string, trail []string)
	visit = func(name string, trail []string) {
		if slices.Contains(trail, name) {
			t.Fatalf("cycle: %s", strings.Join(append(trail, name), " -> "))
		}
		for _, next := range allowed[name] {
			visit(next, append(trail, name))
		}
	}
	for name := range allowed {
		visit(name, nil)
	}
}

// faults returns what is wrong with the name and the imports of p.
func faults(p goPackage) (found []string) {
	name := relative(p.ImportPath)
	if slices.Contains(vagueNames, p.Name) || slices.Contains(vagueNames, path.Base(name)) {
		found = append(found, name+": the name says nothing; name the package for what it does")
	}
	if len(p.GoFiles) == 0 { // only tests
		return found
	}
	may, known := allowed[name]
	if !known {
		return append(found, name+" is not in the table of allowed_test.go; add it with what it may import")
	}
	for _, imported := range p.Imports {
		if !isAllowed(imported, may) {
			found = append(found, name+" may not import "+relative(imported))
		}
	}
	return found
}

// isAllowed reports whether imported is of the standard library, in may, or a package of a module in may.
func isAllowed(imported string, may []string) bool {
	name := relative(imported)
	if name != imported { // one of ours
		return slices.Contains(may, name)
	}
	host, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(host, ".") { // of the standard library
		return true
	}
	return slices.ContainsFunc(may, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
}

// relative returns importPath as the table names it: "." and what is below it for the module's own packages.
func relative(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func list(t *testing.T) (packages []goPackage) {
	t.Helper()
	// -e: a package that does not compile is for the compiler to report.
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Name,GoFiles,Imports", module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatalf("read the output of go list: %v", err)
		}
		packages = append(packages, p)
	}
}
