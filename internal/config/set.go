package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// set parses text into v, which is one value of the field with tag, and checks its bounds.
func set(v reflect.Value, tag reflect.StructTag, text string) error {
	if err := parse(v, tag, text); err != nil {
		return err
	}
	if lowest := tag.Get("min"); lowest != "" && v.Int() < bound(v.Type(), lowest) {
		return fmt.Errorf("%s is less than %s", quote(text), lowest)
	}
	if highest := tag.Get("max"); highest != "" && v.Int() > bound(v.Type(), highest) {
		return fmt.Errorf("%s is more than %s", quote(text), highest)
	}
	return nil
}

func parse(v reflect.Value, tag reflect.StructTag, text string) (err error) {
	switch p := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(text))
	case *time.Duration:
		*p, err = parseDuration(text)
	case *bool:
		*p, err = parseBool(text)
	case *int:
		*p, err = parseInt(text)
	case *string:
		*p, err = formats[tag.Get("format")](text)
	case *[]string:
		*p, err = parseList(tag, text)
	}
	return err
}

func parseBool(text string) (bool, error) {
	if text != "true" && text != "false" {
		return false, fmt.Errorf("%s is neither true nor false", quote(text))
	}
	return text == "true", nil
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is out of range", quote(text))
	case err != nil:
		return 0, fmt.Errorf("%s is not a whole number", quote(text))
	}
	return n, nil
}

// parseList reads the form that a list has in the environment and in flags: separated by commas.
func parseList(tag reflect.StructTag, text string) ([]string, error) {
	list := strings.Split(text, ",")
	if err := checkItems(tag, len(list)); err != nil {
		return nil, err
	}
	for i, item := range list {
		if err := parse(reflect.ValueOf(&list[i]).Elem(), tag, strings.TrimSpace(item)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// checkItems holds a list or a map to its items tag.
func checkItems(tag reflect.StructTag, n int) error {
	if most, _ := strconv.Atoi(tag.Get("items")); n > most {
		return fmt.Errorf("has %d entries; at most %d are allowed", n, most)
	}
	return nil
}

// bound reads a min or max tag as a value of type t. A test reads every tag.
func bound(t reflect.Type, text string) int64 {
	v := reflect.New(t).Elem()
	if err := parse(v, "", text); err != nil {
		panic(fmt.Sprintf("config: bad bound %q: %v", text, err))
	}
	return v.Int()
}
