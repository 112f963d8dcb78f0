package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/wire"
)

// neutral returns f in the form that golden files have as "value".
func neutral(t *testing.T, direction string, f goldenFrame) any {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.encode(direction)), &members); err != nil {
		t.Fatalf("encoded to what is not JSON: %v", err)
	}
	value := map[string]any{"body": neutralStruct(reflect.ValueOf(f.body))}
	if f.id != 0 {
		value["id"] = f.id
	}
	for name := range members {
		if name != "id" {
			value["kind"] = name
		}
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return parseNumbers(t, text)
}

// neutralStruct returns the fields of v that are not zero, and its data in any case.
func neutralStruct(v reflect.Value) map[string]any {
	fields := make(map[string]any)
	for i := range v.NumField() {
		name, field := v.Type().Field(i).Name, v.Field(i)
		if name == strings.ToUpper(name) {
			name = strings.ToLower(name)
		}
		name = strings.ToLower(name[:1]) + name[1:]
		switch x := field.Interface().(type) {
		case wire.Message:
			for name, value := range neutralStruct(field) {
				fields[name] = value
			}
		case wire.Data:
			fields[name] = neutralData(x)
		case []wire.Publication:
			if field.Len() > 0 {
				fields[name] = neutralList(field)
			}
		case time.Duration:
			if x != 0 {
				fields[name+"MS"] = x.Milliseconds()
			}
		default:
			if !field.IsZero() {
				fields[name] = x
			}
		}
	}
	return fields
}

func neutralList(v reflect.Value) (list []any) {
	for i := range v.Len() {
		list = append(list, neutralStruct(v.Index(i)))
	}
	return list
}

func neutralData(d wire.Data) map[string]string {
	if d.Binary {
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(d.Body)}
	}
	return map[string]string{"json": string(d.Body)}
}
