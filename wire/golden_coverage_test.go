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
	checkCovered(t, covered)
}

// checkCovered fails for each body, and each field of one, that covered has not.
func checkCovered(t *testing.T, covered map[string]map[string]bool) {
	t.Helper()
	for _, body := range bodies(t) {
		fields, ok := covered[body]
		if !ok {
			t.Errorf("nothing shows %s", body)
		}
		for name, set := range fields {
			if !set {
				t.Errorf("nothing shows %s with %s", body, name)
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
			names = append(names, bodyOf(decl)...)
		}
	}
	if len(names) < 30 {
		t.Fatalf("found only %d bodies of frames: %v", len(names), names)
	}
	return names
}

// bodyOf returns the direction and the receiver of decl if it is a method that makes its receiver a body.
func bodyOf(decl ast.Decl) []string {
	method, ok := decl.(*ast.FuncDecl)
	if !ok || method.Recv == nil {
		return nil
	}
	direction, ok := strings.CutSuffix(method.Name.Name, "Body")
	receiver, isIdent := method.Recv.List[0].Type.(*ast.Ident)
	if !ok || !isIdent || direction != "client" && direction != "server" {
		return nil
	}
	return []string{direction + " " + receiver.Name}
}
