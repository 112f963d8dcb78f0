//go:build linux

package crowd

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Dialect is what clients say to a server, in text frames. In the frames, {channel} stands for the channel's name,
// {since} for a position to resume from, and {data} for a JSON string.
type Dialect struct {
	// Name is the server's, for the report.
	Name string `yaml:"name" json:"name,omitempty"`
	// Subprotocol is asked for in the handshake.
	Subprotocol string `yaml:"subprotocol" json:"subprotocol,omitempty"`
	// Hello is what every connection says first.
	Hello []string `yaml:"hello" json:"hello,omitempty"`
	// Welcome is a part of the frame that answers Hello, and for which the rest waits. Empty: it waits for nothing.
	Welcome string `yaml:"welcome" json:"welcome,omitempty"`
	// Subscribe is what a subscriber then says, for each of its channels.
	Subscribe []string `yaml:"subscribe" json:"subscribe,omitempty"`
	// Ready is a part of the frame that says that one subscription, or the connection if there is none, is there. Empty: it is
	// there once the handshake is answered.
	Ready string `yaml:"ready" json:"ready,omitempty"`
	// Failed is a part of every frame that tells of an error.
	Failed string `yaml:"failed" json:"failed,omitempty"`
	// Gaps are parts of the frames that say that publications were left out.
	Gaps []string `yaml:"gaps" json:"gaps,omitempty"`
	// Unmarked is a part of the publications that have no mark: they are counted, but not timed.
	Unmarked string `yaml:"unmarked" json:"unmarked,omitempty"`
	// Answers are the frames that must be answered, such as pings of the protocol's own, and by what.
	Answers map[string]string `yaml:"answers" json:"answers,omitempty"`
	// Publish is what a publisher says for each message.
	Publish string `yaml:"publish" json:"publish,omitempty"`
	// PublishPath is where publishers connect, if not where subscribers do.
	PublishPath string `yaml:"publish_path" json:"publish_path,omitempty"`
}

// ReadDialect reads a file of bench/peers.
func ReadDialect(file string) (Dialect, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Dialect{}, err
	}
	var d Dialect
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&d); err != nil {
		return Dialect{}, fmt.Errorf("%s: %w", file, err)
	}
	if !strings.Contains(d.Publish, "{data}") {
		return Dialect{}, fmt.Errorf("%s: publish does not name {data}", file)
	}
	return d, nil
}

// Earshot is Earshot's own protocol: see docs/reference/protocol.md.
func Earshot() Dialect {
	return Dialect{
		Subscribe: []string{`{"id":1,"sub":{"ch":"{channel}"}}`},
		Ready:     `"subscribed":`,
		Failed:    `"error":`,
		Gaps:      []string{`{"reset":`, `{"missed":`},
		Publish:   `{"pub":{"ch":"{channel}","data":{data}}}`,
	}
}

// Resuming is Earshot with subscriptions that go on from a position.
func Resuming() Dialect {
	d := Earshot()
	d.Subscribe = []string{`{"id":1,"sub":{"ch":"{channel}","since":"{since}"}}`}
	return d
}

// tellsGap reports whether a frame says that publications were left out.
func (d *Dialect) tellsGap(frame []byte) bool {
	return slices.ContainsFunc(d.Gaps, func(part string) bool { return bytes.Contains(frame, []byte(part)) })
}

// fill puts values in the places of a frame.
func fill(frame, channel, since string) []byte {
	return []byte(strings.NewReplacer("{channel}", channel, "{since}", since).Replace(frame))
}
