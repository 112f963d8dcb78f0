package config

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// decoder puts a YAML tree into a Config and remembers where each key stood.
type decoder struct {
	file     string
	at       map[string]string // key, such as "namespaces.chat.kind", to "file:line:column"
	problems problems
}

// fail notes what is wrong at n.
func (d *decoder) fail(n ast.Node, key, format string, args ...any) {
	d.problems.add(&Error{Where: where(d.file, n.GetToken().Position), Key: key, Reason: fmt.Sprintf(format, args...)})
}

// value decodes n into v, which is the field with tag, or an entry of it.
func (d *decoder) value(n ast.Node, v reflect.Value, tag reflect.StructTag, key string) {
	switch v.Kind() {
	case reflect.Struct:
		d.entries(n, key, func(name string, entry *ast.MappingValueNode) { d.field(v, name, entry, key) })
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		count := d.entries(n, key, func(name string, entry *ast.MappingValueNode) { d.mapEntry(v, tag, name, entry, key) })
		if err := checkItems(tag, count); err != nil {
			d.fail(n, key, "%v", err)
		}
	case reflect.Slice:
		d.list(n, v, tag, key)
	default:
		d.scalar(n, v, tag, key)
	}
}

// entries calls each with every entry of the mapping n, and returns how many it has.
func (d *decoder) entries(n ast.Node, key string, each func(name string, entry *ast.MappingValueNode)) int {
	mapping, ok := n.(*ast.MappingNode)
	if !ok {
		d.fail(n, key, "must have keys and values, not %s", kindOf(n))
		return 0
	}
	for _, entry := range mapping.Values {
		name, ok := scalarText(entry.Key)
		full := join(key, name)
		_, seen := d.at[full]
		switch {
		case !ok:
			d.fail(entry.Key, key, "a key must be plain text")
		case seen:
			d.fail(entry.Key, full, "is there twice")
		default:
			d.at[full] = where(d.file, entry.Key.GetToken().Position)
			each(name, entry)
		}
	}
	return len(mapping.Values)
}

func (d *decoder) field(v reflect.Value, name string, entry *ast.MappingValueNode, parent string) {
	names := keys(v.Type())
	i := slices.Index(names, name)
	if i < 0 {
		d.fail(entry.Key, parent, "unknown key %s; did you mean %q?", quote(name), nearest(name, names))
		return
	}
	d.value(entry.Value, v.Field(i), v.Type().Field(i).Tag, join(parent, name))
}

func (d *decoder) mapEntry(m reflect.Value, tag reflect.StructTag, name string, entry *ast.MappingValueNode, parent string) {
	if _, err := formats[tag.Get("format")](name); err != nil {
		d.fail(entry.Key, parent, "%v", err)
		return
	}
	v := reflect.New(m.Type().Elem()).Elem()
	d.value(entry.Value, v, "", join(parent, name))
	m.SetMapIndex(reflect.ValueOf(name), v)
}

func (d *decoder) list(n ast.Node, v reflect.Value, tag reflect.StructTag, key string) {
	sequence, ok := n.(*ast.SequenceNode)
	if !ok {
		d.fail(n, key, "must be a list, not %s", kindOf(n))
		return
	}
	if err := checkItems(tag, len(sequence.Values)); err != nil {
		d.fail(n, key, "%v", err)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(sequence.Values), len(sequence.Values)))
	for i, item := range sequence.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		d.at[at] = where(d.file, item.GetToken().Position)
		d.value(item, v.Index(i), tag, at)
	}
}

func (d *decoder) scalar(n ast.Node, v reflect.Value, tag reflect.StructTag, key string) {
	text, ok := scalarText(n)
	if !ok {
		d.fail(n, key, "must be one value, not %s", kindOf(n))
		return
	}
	if err := set(v, tag, text); err != nil {
		d.fail(n, key, "%v", err)
	}
}

// scalarText returns the text of a scalar as it was written, without quotes.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// kindOf names what n is, for messages.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list (put quotes around text that begins with a bracket)"
	case *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		return "an anchor, alias or tag, which are not supported"
	case *ast.LiteralNode:
		return "a block of text"
	}
	return "a single value"
}

// keys returns the yaml keys of a struct's fields, in their order.
func keys(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}

func join(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "." + name
}
