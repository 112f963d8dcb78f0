package wire_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/wire"
)

func TestLimitsOfLength(t *testing.T) {
	pad := func(frame string, size int) string { return frame + strings.Repeat(" ", size-len(frame)) }
	refresh := func(size int) string { return `{"refresh":{"token":"` + strings.Repeat("t", size) + `"}}` }
	decodeClient := func(text string) error { _, err := wire.JSON.DecodeClientFrame([]byte(text)); return err }
	decodeServer := func(text string) error { _, err := wire.JSON.DecodeServerFrame([]byte(text)); return err }
	for _, tt := range []struct {
		name   string
		decode func(string) error
		text   string
		want   wire.Code
	}{
		{"the longest frame", decodeClient, pad(`{"ping":{}}`, wire.MaxFrameBytes), 0},
		{"a frame too long", decodeClient, pad(`{"ping":{}}`, wire.MaxFrameBytes+1), wire.CodeTooLarge},
		{"the longest token", decodeClient, refresh(wire.MaxTokenBytes), 0},
		{"a token too long", decodeClient, refresh(wire.MaxTokenBytes + 1), wire.CodeTooLarge},
		{"the longest server's frame", decodeServer, pad(`{"ping":{}}`, wire.MaxServerFrameBytes), 0},
		{"a server's frame too long", decodeServer, pad(`{"ping":{}}`, wire.MaxServerFrameBytes+1), wire.CodeTooLarge},
	} {
		checkCode(t, tt.name, tt.decode(tt.text), tt.want)
	}
}

// TestLongestPageFits builds the page with the longest text that the limits allow: publications whose strings are all
// escapes fill it up to MaxPageBytes, and the last one is the largest there is.
func TestLongestPageFits(t *testing.T) {
	text := func(n int, prefix string) string { return prefix + strings.Repeat("\x01", n-len(prefix)) }
	full := make(map[string]string)
	for i := range wire.MaxTags {
		full[text(wire.MaxTagKeyBytes, fmt.Sprint(i))] = text(wire.MaxTagBytes, "")
	}
	largest := wire.Publication{
		Offset: 1 << 62, Position: text(wire.MaxPositionBytes, ""), UnixMS: 1 << 62, User: text(wire.MaxUserBytes, ""),
		Key:     text(wire.MaxMapKeyBytes, ""),
		Message: wire.Message{Event: text(wire.MaxEventBytes, ""), Data: wire.BinaryData(make([]byte, wire.MaxFrameBytes)), Tags: full},
	}
	smallest := largest
	smallest.User, smallest.Key, smallest.Message = "", text(1, ""), wire.Message{}
	page := wire.Page{
		Channel: text(wire.MaxChannelBytes, ""), Position: text(wire.MaxPositionBytes, ""),
		Complete: true, More: true, Keys: math.MaxInt,
	}
	filler := largest
	filler.Data = wire.Data{}
	const sizeOfFiller = wire.MaxEventBytes + wire.MaxUserBytes + wire.MaxMapKeyBytes + wire.MaxTags*(wire.MaxTagKeyBytes+wire.MaxTagBytes)
	for size := 0; size+sizeOfFiller < wire.MaxPageBytes; size += sizeOfFiller {
		page.Publications = append(page.Publications, filler)
	}
	page.Publications = append(page.Publications, largest)
	for len(page.Publications) < wire.MaxPageLimit {
		page.Publications = append(page.Publications, smallest)
	}
	frame := wire.JSON.AppendServerFrame(nil, wire.ServerFrame{ID: wire.MaxID, Body: page})
	if _, err := wire.JSON.DecodeServerFrame(frame); err != nil {
		t.Errorf("the longest page has %d bytes: %v", len(frame), err)
	}
	t.Logf("the longest page has %d bytes", len(frame))
}

// TestDurationsAreNotLost checks that the shortest durations do not become none.
func TestDurationsAreNotLost(t *testing.T) {
	for _, delay := range []time.Duration{1, time.Millisecond, time.Millisecond + 1, time.Hour} {
		text := wire.JSON.AppendServerFrame(nil, wire.ServerFrame{Body: wire.Bye{Code: wire.CloseDraining, Delay: delay}})
		frame, err := wire.JSON.DecodeServerFrame(text)
		if err != nil {
			t.Fatal(err)
		}
		got := frame.Body.(wire.Bye).Delay
		if got < delay || got >= delay+time.Millisecond {
			t.Errorf("%v became %v", delay, got)
		}
	}
}
