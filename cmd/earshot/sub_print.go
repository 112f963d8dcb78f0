package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

// errEnough says that as many publications were printed as were asked for.
var errEnough = errors.New("enough publications")

// eventPrinter prints events, each as one line of JSON. It may be used concurrently.
type eventPrinter struct {
	limit int // of publications; zero for none

	mu sync.Mutex
	// Guarded by mu.
	w    io.Writer
	seen int
}

func newEventPrinter(w io.Writer, limit int) *eventPrinter { return &eventPrinter{w: w, limit: limit} }

// print prints ev. With the last publication that was asked for, and instead of every event after it, it returns
// errEnough.
func (p *eventPrinter) print(ev client.Event) error {
	line, err := eventLine(ev)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit > 0 && p.seen >= p.limit {
		return errEnough
	}
	if _, err := p.w.Write(line); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if _, ok := ev.(client.Publication); ok {
		p.seen++
	}
	if p.limit > 0 && p.seen >= p.limit {
		return errEnough
	}
	return nil
}

// eventLine returns ev as a line of JSON.
func eventLine(ev client.Event) ([]byte, error) {
	switch ev := ev.(type) {
	case client.Publication:
		return publicationLine(ev)
	case client.Reset:
		return jsonLine(struct {
			Type     string           `json:"type"`
			Channel  string           `json:"channel"`
			Position string           `json:"position"`
			Why      wire.ResetReason `json:"why"`
		}{"reset", ev.Channel, ev.Position, ev.Why})
	case client.Missed:
		return jsonLine(struct {
			Type     string `json:"type"`
			Channel  string `json:"channel"`
			Position string `json:"position"`
			Count    uint64 `json:"count"`
		}{"missed", ev.Channel, ev.Position, ev.Count})
	}
	return nil, fmt.Errorf("event of unknown type %T", ev)
}

// publicationLine appends the data by hand, because encoding/json would rewrite it.
func publicationLine(p client.Publication) ([]byte, error) {
	if p.Event == "" {
		p.Event = wire.DefaultEvent
	}
	line, err := jsonLine(struct {
		Type     string `json:"type"`
		Channel  string `json:"channel"`
		Position string `json:"position"`
		Offset   uint64 `json:"offset"`
		Event    string `json:"event"`
	}{"publication", p.Channel, p.Position, p.Offset, p.Event})
	if err != nil {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("}\n"))
	if p.Data.Binary {
		encoded, err := json.Marshal(p.Data.Body)
		return fmt.Appendf(line, `,"data_base64":%s}`+"\n", encoded), err
	}
	return fmt.Appendf(line, `,"data":%s}`+"\n", onOneLine(p.Data.Body)), nil
}

// onOneLine returns JSON text with spaces in place of line breaks, which in valid JSON are nothing but white space.
func onOneLine(text []byte) []byte {
	if len(text) == 0 {
		return []byte("null")
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\n"), []byte(" ")), []byte("\r"), []byte(" "))
}

func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
