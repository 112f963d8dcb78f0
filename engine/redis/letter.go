package redis

import (
	"encoding/binary"
	"fmt"
)

// Kinds of messages between nodes.
const (
	kindTold byte = iota + 1
	kindAsked
	kindAnswer
)

// letter is a message between nodes.
type letter struct {
	kind     byte
	from     string // a run
	survey   uint64 // of a question and its answer
	deadline int64  // of a question, milliseconds since 1970 by the asker's clock
	body     []byte
}

func (l letter) encode() string {
	b := append([]byte{l.kind}, l.from...)
	b = binary.LittleEndian.AppendUint64(b, l.survey)
	b = binary.LittleEndian.AppendUint64(b, uint64(l.deadline))
	return string(append(b, l.body...))
}

func decodeLetter(s string) (letter, error) {
	d := newDecoder([]byte(s))
	l := letter{kind: d.Byte(), from: string(d.Take(runBytes)), survey: d.Uint64(), deadline: d.number(), body: d.Rest}
	if d.Bad || l.kind < kindTold || l.kind > kindAnswer {
		return letter{}, fmt.Errorf("%w: message of a node", errCorrupt)
	}
	return l, nil
}
