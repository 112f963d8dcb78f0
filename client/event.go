package client

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/earshot/earshot/wire"
)

// Message is what a publisher says: an event name, data, and tags.
type Message = wire.Message

// Data is a message's payload: JSON text or bytes.
type Data = wire.Data

// JSON returns v as Data, encoded by encoding/json.
func JSON(v any) (Data, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return Data{}, fmt.Errorf("encode message: %w", err)
	}
	return wire.JSONData(text), nil
}

// Event is what a subscription sees: a Publication, a Reset or a Missed.
type Event interface {
	// After returns the position of a reader that has seen the event.
	After() string
	event()
}

// Publication is one message in a channel. Its data must not be modified.
type Publication struct {
	Channel  string
	Offset   uint64 // consecutive within an epoch of the channel, unless that is a map
	Position string // of a reader that has seen it
	Time     time.Time
	User     string // who published it; empty for an anonymous client
	Key      string // of a map: the key, whose version Offset is
	Gone     bool   // of a map: the key was deleted; there is no data
	Message
}

// Decode reads JSON data into v. Bytes are an error.
func (p Publication) Decode(v any) error {
	return decodeData(p.Data, v, "publication %d of %q", p.Offset, p.Channel)
}

// decodeData reads JSON data into v. What names it in an error.
func decodeData(data Data, v any, what string, args ...any) error {
	if data.Binary {
		return fmt.Errorf(what+" is bytes, not JSON", args...)
	}
	if err := json.Unmarshal(data.Body, v); err != nil {
		return fmt.Errorf("decode "+what+": %w", append(args, err)...)
	}
	return nil
}

// Reset says that what the subscription saw before and what follows do not join.
type Reset struct {
	Channel  string
	Position string
	Why      wire.ResetReason
}

// Missed says how many publications of a channel that keeps nothing went by unseen.
type Missed struct {
	Channel  string
	Count    uint64
	Position string
}

// After returns the position of a reader that has seen the event.
func (p Publication) After() string { return p.Position }

// After returns the position of a reader that has seen the event.
func (r Reset) After() string { return r.Position }

// After returns the position of a reader that has seen the event.
func (m Missed) After() string { return m.Position }

func (Publication) event() {}
func (Reset) event()       {}
func (Missed) event()      {}

func fromWire(p wire.Publication) Publication {
	return Publication{
		Channel:  p.Channel,
		Offset:   p.Offset,
		Position: p.Position,
		Time:     time.UnixMilli(p.UnixMS),
		User:     p.User,
		Key:      p.Key,
		Gone:     p.Gone,
		Message:  p.Message,
	}
}

// sizeBytes is what an event counts for in a subscription's queue.
func sizeBytes(ev Event) int {
	p, ok := ev.(Publication)
	if !ok {
		return eventOverheadBytes
	}
	n := eventOverheadBytes + len(p.Event) + len(p.Data.Body) + len(p.User)
	for k, v := range p.Tags {
		n += len(k) + len(v)
	}
	return n
}
