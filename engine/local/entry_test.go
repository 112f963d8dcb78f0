package local

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

var entryTests = []engine.Publication{
	{},
	{User: "ann", Sender: "phone", Message: wire.Message{Event: "said", Data: wire.JSONData([]byte(`{"a":1}`))}},
	{Message: wire.Message{Data: wire.BinaryData([]byte{0, 255}), Tags: map[string]string{"": "", "b": "2", "a": "1"}}},
	{Message: wire.Message{Data: wire.BinaryData(nil)}},
}

func TestEntryRoundTrip(t *testing.T) {
	for _, p := range entryTests {
		p.Position, p.PrevTag, p.UnixMS = engine.Position{Epoch: 5, Offset: 9, Tag: 7}, 6, 1_700_000_000_000
		h := header{retained: 8, bytes: 1 << 40, prevTag: p.PrevTag, tag: p.Tag, unixMS: p.UnixMS}
		value := appendEntry(nil, h, p.Sender, appendBody(nil, &p))
		got, gotHeader, err := decodeEntry(engine.Position{Epoch: 5, Offset: 9}, value)
		if err != nil || gotHeader != h || !reflect.DeepEqual(*got, p) {
			t.Errorf("%+v became %+v, %+v, %v", p, got, gotHeader, err)
		}
		for n := range value { // cut off anywhere
			if _, _, err := decodeEntry(engine.Position{Epoch: 5, Offset: 9}, value[:n]); err == nil {
				t.Errorf("%d of %d bytes are an entry", n, len(value))
			}
		}
	}
}

// TestBodiesDiffer checks that no two different messages have the same body: keys compare and tags chain bodies.
func TestBodiesDiffer(t *testing.T) {
	messages := []engine.Publication{
		{}, {User: "a"}, {Message: wire.Message{Event: "a"}}, {Message: wire.Message{Data: wire.JSONData([]byte("a"))}},
		{Message: wire.Message{Data: wire.BinaryData([]byte("a"))}}, {Message: wire.Message{Data: wire.BinaryData(nil)}},
		{Message: wire.Message{Tags: map[string]string{"a": ""}}}, {Message: wire.Message{Tags: map[string]string{"": "a"}}},
		{Message: wire.Message{Tags: map[string]string{"a": "", "b": ""}}},
		{Message: wire.Message{Tags: map[string]string{"a": "b"}}},
	}
	bodies := map[string]int{}
	for i := range messages {
		body := string(appendBody(nil, &messages[i]))
		if j, ok := bodies[body]; ok {
			t.Errorf("%+v and %+v have the same body", messages[i], messages[j])
		}
		bodies[body] = i
	}
}

func TestTagsChain(t *testing.T) {
	body := []byte("text")
	tag := chainTag(0, 1, body)
	for _, other := range []uint32{chainTag(1, 1, body), chainTag(0, 2, body), chainTag(0, 1, []byte("other"))} {
		if other == tag || other == 0 || tag == 0 {
			t.Errorf("tags are %d and %d", tag, other)
		}
	}
}

// FuzzDecodeValues feeds the decoders of all values garbage: an error or a value, never a panic, and what is an entry
// is the same entry when written again.
func FuzzDecodeValues(f *testing.F) {
	for _, p := range entryTests {
		f.Add(appendEntry(nil, header{tag: 1}, p.Sender, appendBody(nil, &p)), uint64(1))
	}
	f.Add(channelRecord{id: 1, epoch: 2, generation: 3, loose: true}.encode(), uint64(1))
	f.Add(floorRecord{first: 3, top: 5, tag: 1, bytes: 2, unixMS: 3}.encode(), uint64(1))
	f.Add(keyRecord{unixMS: 1, position: engine.Position{Epoch: 1, Offset: 2, Tag: 3}}.appendTo(nil), uint64(1))
	f.Add(segmentRecord{expiresMS: 1}.encode(), uint64(1))
	f.Fuzz(func(t *testing.T, value []byte, offset uint64) {
		decodeChannelRecord(value)
		decodeFloorRecord(value)
		decodeKeyRecord(value)
		decodeSegmentRecord(value)
		decodeHeader(value)
		pos := engine.Position{Epoch: 1, Offset: offset}
		p, h, err := decodeEntry(pos, value)
		if err != nil {
			return
		}
		again := appendEntry(nil, h, p.Sender, appendBody(nil, p))
		q, _, err := decodeEntry(pos, again)
		if err != nil || !reflect.DeepEqual(p, q) {
			t.Fatalf("%+v became %+v, %v", p, q, err)
		}
		if !bytes.Equal(again, appendEntry(nil, h, q.Sender, appendBody(nil, q))) {
			t.Fatal("an entry is written in two ways")
		}
	})
}
