package config

import (
	"errors"
	"fmt"
	"strconv"
)

// Error is one thing that is wrong with the configuration.
type Error struct {
	Where  string // "file:line:column", "$VARIABLE" or "--flag"; empty for a Config that was not loaded
	Key    string // such as "namespaces.chat.kind"; empty if the whole is meant
	Reason string
}

func (e *Error) Error() string {
	s := e.Reason
	if e.Key != "" {
		s = e.Key + ": " + s
	}
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	return s
}

// maxErrors is how many are reported at once: more help nobody.
const maxErrors = 10

// problems gathers errors.
type problems []error

func (p *problems) add(e *Error) {
	switch {
	case len(*p) < maxErrors:
		*p = append(*p, e)
	case len(*p) == maxErrors:
		*p = append(*p, errors.New("and more"))
	}
}

// err returns all of them, one on each line, or nil.
func (p problems) err() error { return errors.Join(p...) }

// maxShown is how much of a bad value a message repeats.
const maxShown = 64

// quote shows a value in a message.
func quote(s string) string {
	if len(s) > maxShown {
		return fmt.Sprintf("%s… (%d bytes)", strconv.Quote(s[:maxShown]), len(s))
	}
	return strconv.Quote(s)
}
