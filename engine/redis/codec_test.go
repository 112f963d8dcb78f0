package redis

import (
	"encoding/binary"
	"testing"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
	"github.com/earshot/earshot/wire"
)

// frameOf returns a message between nodes with one publication, as the publish script makes it.
func frameOf(p engine.Proposal) []byte {
	content := appendBody(nil, &p)
	value := binary.LittleEndian.AppendUint32(nil, chainTag(7, 1000, contentHash(content)))
	value = binary.LittleEndian.AppendUint32(value, 7)
	value = binary.LittleEndian.AppendUint64(value, 1000)
	value = binary.LittleEndian.AppendUint64(value, 0)
	value = append(packed.AppendBytes(value, p.Sender), content...)
	frame := binary.LittleEndian.AppendUint64(nil, 5)
	frame = binary.LittleEndian.AppendUint64(frame, 42)
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(value)))
	return append(frame, value...)
}

// What other nodes send is read without a panic, and nothing but what was sent is taken: a change of any byte that matters
// to readers is noticed by the tag.
func FuzzFrame(f *testing.F) {
	f.Add(frameOf(engine.Proposal{User: "ann", Sender: "phone", Message: wire.Message{
		Event: "said", Data: wire.JSONData([]byte(`"x"`)), Tags: map[string]string{"a": "1", "b": "2"},
	}}))
	f.Add(frameOf(engine.Proposal{}))
	f.Fuzz(func(t *testing.T, frame []byte) {
		decodeLetter(string(frame))
		decodeMeta(frame)
		decodeFrame(frame, decodeFedChange)
		pubs, err := decodeFrame(frame, decodeEntry)
		if err != nil {
			return
		}
		for i, p := range pubs {
			if p.Epoch == 0 || p.Tag == 0 || i > 0 && p.Offset != pubs[i-1].Offset+1 {
				t.Fatalf("publication %d is %+v", i, p)
			}
		}
	})
}

func TestDamagedFrame(t *testing.T) {
	frame := frameOf(engine.Proposal{User: "ann", Message: wire.Message{Data: wire.JSONData([]byte(`"hello"`))}})
	if _, err := decodeFrame(frame, decodeEntry); err != nil {
		t.Fatal(err)
	}
	for cut := range frame {
		if _, err := decodeFrame(frame[:cut], decodeEntry); err == nil {
			t.Errorf("a frame cut at %d was taken", cut)
		}
	}
	const fixed = 8 + 8 + 4 + headerBytes + 1 // from here on there is content, which the tag covers
	for i := fixed; i < len(frame); i++ {
		frame[i] ^= 1
		if _, err := decodeFrame(frame, decodeEntry); err == nil {
			t.Errorf("a frame with another byte at %d was taken", i)
		}
		frame[i] ^= 1
	}
}
