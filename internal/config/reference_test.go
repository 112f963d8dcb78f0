package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
)

const referencePage = "../../docs/reference/config.md"

var update = flag.Bool("update", false, "write "+referencePage+" anew")

// The reference page is made of the structs in config.go: their comments and tags, and of the example, which
// TestLoadReadsEveryKey loads.
func TestReferenceIsCurrent(t *testing.T) {
	want := reference(t)
	if *update {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/reference/config.md is not what the structs say; run: go generate ./internal/config")
	}
}

func reference(t *testing.T) string {
	intro, err := os.ReadFile("testdata/reference_intro.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.Write(intro)
	fmt.Fprintf(&b, "```yaml%s```\n", example)
	for _, section := range []struct {
		title string
		t     reflect.Type
	}{
		{"## Settings", reflect.TypeFor[Config]()},
		{"## Tokens: `tokens`", reflect.TypeFor[Tokens]()},
		{"## An issuer of tokens: `tokens.issuers`", reflect.TypeFor[Issuer]()},
		{"## A namespace: `namespaces.NAME`", reflect.TypeFor[Namespace]()},
		{"## What a log keeps: `namespaces.NAME.history`", reflect.TypeFor[History]()},
	} {
		fmt.Fprintf(&b, "\n%s\n\n| key | default | meaning |\n|---|---|---|\n", section.title)
		writeRows(&b, section.t, fieldComments(file, section.t.Name()))
	}
	return b.String()
}

func writeRows(b *strings.Builder, t reflect.Type, comments map[string]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag
		meaning := comments[field.Name]
		if lowest, highest := tag.Get("min"), tag.Get("max"); lowest != "" {
			meaning += fmt.Sprintf(" From %s to %s.", lowest, highest)
		}
		if items := tag.Get("items"); items != "" {
			meaning += fmt.Sprintf(" At most %s.", items)
		}
		if env := tag.Get("env"); env != "" {
			meaning += fmt.Sprintf(" Variable: `%s`.", env)
		}
		value := "none"
		if d := tag.Get("default"); d != "" {
			value = "`" + d + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", tag.Get("yaml"), value, meaning)
	}
}

// fieldComments returns the comments of a struct's fields, each on one line.
func fieldComments(file *ast.File, name string) map[string]string {
	comments := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		for _, f := range spec.Type.(*ast.StructType).Fields.List {
			comments[f.Names[0].Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
		return false
	})
	return comments
}

// The tags are part of the program: each default and bound must be a value of its field, and a bounded field's zero must
// be out of its bounds, because zero means "not set".
func TestTags(t *testing.T) {
	for _, typ := range []reflect.Type{reflect.TypeFor[Config](), reflect.TypeFor[Tokens](), reflect.TypeFor[Issuer](), reflect.TypeFor[Namespace](), reflect.TypeFor[History]()} {
		for i := range typ.NumField() {
			checkTags(t, typ.Name(), typ.Field(i))
		}
	}
}

func checkTags(t *testing.T, owner string, field reflect.StructField) {
	t.Helper()
	tag, v := field.Tag, reflect.New(field.Type).Elem()
	if lowest := tag.Get("min"); lowest != "" {
		if low, high := bound(field.Type, lowest), bound(field.Type, tag.Get("max")); low <= 0 || high < low {
			t.Errorf("%s.%s: bounds %d to %d", owner, field.Name, low, high)
		}
	}
	if format := tag.Get("format"); format != "" && formats[format] == nil {
		t.Errorf("%s.%s: no format %q", owner, field.Name, format)
	}
	if k := field.Type.Kind(); k == reflect.Map || k == reflect.Slice || k == reflect.Struct || tag.Get("default") == "" {
		return
	}
	if err := set(v, tag, tag.Get("default")); err != nil {
		t.Errorf("%s.%s: default: %v", owner, field.Name, err)
	}
	if owner != "Config" && !v.IsZero() {
		t.Errorf("%s.%s: the default is not the zero value, and only Config's are filled in", owner, field.Name)
	}
}
