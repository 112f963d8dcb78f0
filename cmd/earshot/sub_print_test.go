package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/wire"
)

func TestEventLines(t *testing.T) {
	publication := func(event string, d client.Data) client.Publication {
		return client.Publication{Channel: "log:a", Offset: 7, Position: "p7", Message: client.Message{Event: event, Data: d}}
	}
	tests := []struct {
		name string
		ev   client.Event
		want string
	}{
		{"JSON as it came", publication("", wire.JSONData([]byte(`{ "a":1.0, "a":18446744073709551616,"<&>":"\ud800"}`))),
			`{"type":"publication","channel":"log:a","position":"p7","offset":7,"event":"message","data":{ "a":1.0, "a":18446744073709551616,"<&>":"\ud800"}}`},
		{"line breaks between tokens", publication("<said>", wire.JSONData([]byte("[1,\r\n2,\"\\n\"]"))),
			`{"type":"publication","channel":"log:a","position":"p7","offset":7,"event":"<said>","data":[1,  2,"\n"]}`},
		{"no data", publication("", client.Data{}),
			`{"type":"publication","channel":"log:a","position":"p7","offset":7,"event":"message","data":null}`},
		{"bytes", publication("", wire.BinaryData([]byte{0xff, 0})),
			`{"type":"publication","channel":"log:a","position":"p7","offset":7,"event":"message","data_base64":"/wA="}`},
		{"reset", client.Reset{Channel: "log:a", Position: "p9", Why: wire.ResetEvicted},
			`{"type":"reset","channel":"log:a","position":"p9","why":"evicted"}`},
		{"missed", client.Missed{Channel: "live:a", Position: "p9", Count: 3},
			`{"type":"missed","channel":"live:a","position":"p9","count":3}`},
	}
	for _, tt := range tests {
		line, err := eventLine(tt.ev)
		if got := string(line); err != nil || got != tt.want+"\n" {
			t.Errorf("%s: %v, %s, want %s", tt.name, err, got, tt.want)
		}
	}
}

func TestPrinterCountsPublicationsAlone(t *testing.T) {
	var out strings.Builder
	p := newEventPrinter(&out, 2)
	events := []client.Event{client.Reset{}, client.Publication{}, client.Missed{}, client.Publication{}, client.Publication{}}
	for i, ev := range events {
		if err := p.print(ev); errors.Is(err, errEnough) != (i >= 3) {
			t.Errorf("event %d: %v", i, err)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 4 {
		t.Errorf("%d lines, want 4", n)
	}
}
