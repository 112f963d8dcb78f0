package wire_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestGoldenCoversEveryField fails if a kind of frame, or a field of one, is in no canonical golden case of its
// direction.
func TestGoldenCoversEveryField(t *testing.T) {
	covered := make(map[string]map[string]bool) // by direction and type: the fields that some case sets
	for _, cases := range readGolden(t) {
		for _, c := range cases {
			if c.Canonical {
				f, err := c.decode(t)
				if err != nil {
					t.Errorf("%s: %v", c.Name, err)
					continue
				}
				v := reflect.ValueOf(f.body)
				cover(covered, c.Direction+" "+v.Type().Name(), v)
			}
		}
	}
	for _, body := range bodies(t) {
		fields, ok := covered[body]
		if !ok {
			t.Errorf("no golden case for %s", body)
		}
		for name, set := range fields {
			if !set {
				t.Errorf("no golden case for %s with %s", body, name)
			}
		}
	}
}

// cover notes which fields of v, a body, are not zero.
func cover(covered map[string]map[string]bool, body string, v reflect.Value) {
	fields := covered[body]
	if fields == nil {
		fields = make(map[string]bool)
		covered[body] = fields
	}
	for _, f := range reflect.VisibleFields(v.Type()) {
		if !f.Anonymous {
			fields[f.Name] = fields[f.Name] || !v.FieldByIndex(f.Index).IsZero()
		}
	}
}

// bodies returns direction and name of every type in this package's source that is the body of a frame.
func bodies(t *testing.T) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil && strings.HasSuffix(f.Name.Name, "Body") {
				if receiver, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
					names = append(names, strings.TrimSuffix(f.Name.Name, "Body")+" "+receiver.Name)
				}
			}
		}
	}
	if len(names) < 22 {
		t.Fatalf("found only %d bodies of frames: %v", len(names), names)
	}
	return names
}
