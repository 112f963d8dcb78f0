package config

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
)

// Source says where Load reads from.
type Source struct {
	Flags map[string]string        // values given on the command line, by key, such as "addr"
	Env   func(name string) string // such as os.Getenv; an empty variable counts as not set; nil for no environment
	File  string                   // path of the YAML file; empty for none
}

// Load reads the configuration: what a flag says goes over the environment, that over the file, and that over the
// default. Each error that it returns, joined, is an *Error or says which file could not be read.
func Load(src Source) (*Config, error) {
	var text []byte
	if src.File != "" {
		var err error
		if text, err = readFile(src.File); err != nil {
			return nil, err
		}
	}
	return load(src, text)
}

// readFile reads no more than is needed to see that a file is too large.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	return text, nil
}

func load(src Source, text []byte) (*Config, error) {
	root, syntax := parseYAML(src.File, text)
	if syntax != nil {
		return nil, syntax
	}
	cfg := new(Config)
	d := &decoder{file: src.File, at: make(map[string]string)}
	if root != nil {
		d.value(root, reflect.ValueOf(cfg).Elem(), "", "")
	}
	override(cfg, src, &d.problems)
	setDefaults(cfg)
	if len(d.problems) == 0 { // or else a namespace's kind may not be what was meant
		check(cfg, d)
	}
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// override puts the environment and the flags over what the file said.
func override(cfg *Config, src Source, p *problems) {
	v := reflect.ValueOf(cfg).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if name := tag.Get("env"); name != "" && src.Env != nil && src.Env(name) != "" {
			replace(v.Field(i), tag, src.Env(name), "$"+name, p)
		}
		key := tag.Get("yaml")
		if text, ok := src.Flags[key]; ok {
			replace(v.Field(i), tag, text, "--"+strings.ReplaceAll(key, "_", "-"), p)
		}
	}
}

func replace(v reflect.Value, tag reflect.StructTag, text, where string, p *problems) {
	if err := set(v, tag, text); err != nil {
		p.add(&Error{Where: where, Reason: err.Error()})
	}
}

// setDefaults gives the fields that are still zero what their default tags say. One without such a tag stays zero.
func setDefaults(cfg *Config) {
	v := reflect.ValueOf(cfg).Elem()
	for i := range v.NumField() {
		f, tag := v.Field(i), v.Type().Field(i).Tag
		byDefault, ok := tag.Lookup("default")
		if kind := f.Kind(); !ok || !f.IsZero() || kind == reflect.Slice || kind == reflect.Map {
			continue
		}
		if err := set(f, tag, byDefault); err != nil {
			panic("config: bad default: " + err.Error()) // the tags are the program's own, and tested
		}
	}
}
