package config

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The parser takes time quadratic in nesting and in the number of keys; within these it stays far
// below a second.
const (
	maxFileBytes = 128 << 10
	maxLineBytes = 1 << 10
	maxFlowDepth = 16 // of [ and {
)

// parseYAML returns the root of text's only document, nil if it is empty.
func parseYAML(file string, text []byte) (ast.Node, *Error) {
	if err := checkBounds(file, text); err != nil {
		return nil, err
	}
	parsed, err := parser.ParseBytes(text, 0)
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, &Error{Where: where(file, syntax.Token.Position), Reason: syntax.Message}
	case err != nil:
		return nil, &Error{Where: file, Reason: err.Error()}
	case len(parsed.Docs) > 1:
		return nil, &Error{Where: where(file, parsed.Docs[1].Start.Position), Reason: "a second document; only one is allowed"}
	case len(parsed.Docs) == 0:
		return nil, nil
	}
	return parsed.Docs[0].Body, nil
}

func checkBounds(file string, text []byte) *Error {
	if len(text) > maxFileBytes {
		return &Error{Where: file, Reason: fmt.Sprintf("is larger than %v", Bytes(maxFileBytes))}
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		at := fmt.Sprintf("%s:%d", file, number)
		if len(line) > maxLineBytes {
			return &Error{Where: at, Reason: fmt.Sprintf("the line is longer than %v", Bytes(maxLineBytes))}
		}
		if !utf8.Valid(line) {
			return &Error{Where: at, Reason: "the line is not UTF-8"}
		}
	}
	return checkFlowDepth(file, text)
}

func checkFlowDepth(file string, text []byte) *Error {
	depth := 0
	for _, t := range lexer.Tokenize(string(text)) {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		}
		if depth > maxFlowDepth {
			return &Error{Where: where(file, t.Position), Reason: "is nested too deeply"}
		}
	}
	return nil
}

func where(file string, p *token.Position) string {
	if p == nil {
		return file
	}
	return fmt.Sprintf("%s:%d:%d", file, p.Line, p.Column)
}
