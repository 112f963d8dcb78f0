package redis

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
	"github.com/earshot/earshot/wire"
)

// Replies are written for a fuzzer: a byte that says of what kind a part is, and then the part.
const (
	replyString byte = iota
	replyInteger
	replyNull
	replyArray
	replyKinds

	maxReplyParts = 16
	maxReplyDepth = 3
)

// writeReply appends an array of strings, numbers, nils and arrays.
func writeReply(dst []byte, parts ...any) []byte {
	dst = append(dst, replyArray, byte(len(parts)))
	for _, part := range parts {
		switch v := part.(type) {
		case string:
			dst = packed.AppendBytes(append(dst, replyString), v)
		case int:
			dst = binary.LittleEndian.AppendUint64(append(dst, replyInteger), uint64(v))
		case nil:
			dst = append(dst, replyNull)
		case []any:
			dst = writeReply(dst, v...)
		}
	}
	return dst
}

// readReply makes of any bytes a reply that Redis could send, in the form in which the client keeps them in a cache.
func readReply(d *decoder, depth int) (cached []byte) {
	kind := d.Byte() % replyKinds
	if depth == 0 {
		kind %= replyArray
	}
	switch kind {
	case replyString:
		text := d.Bytes()
		return append(binary.BigEndian.AppendUint64([]byte{'$'}, uint64(len(text))), text...)
	case replyInteger:
		return append([]byte{':'}, binary.BigEndian.AppendUint64(nil, d.Uint64())...)
	case replyNull:
		return binary.BigEndian.AppendUint64([]byte{'_'}, 0)
	}
	count := d.Byte() % maxReplyParts
	cached = binary.BigEndian.AppendUint64([]byte{'*'}, uint64(count))
	for range count {
		cached = append(cached, readReply(d, depth-1)...)
	}
	return cached
}

func replyOf(t testing.TB, data []byte) (m rueidis.RedisMessage) {
	t.Helper()
	const ttlBytes = 7
	cached := append(make([]byte, ttlBytes), readReply(newDecoder(data), maxReplyDepth)...)
	if err := m.CacheUnmarshalView(cached); err != nil {
		t.Fatal(err)
	}
	return m
}

// metaOf returns what Redis holds of a channel.
func metaOf(epoch, top uint64, tag uint32, first uint64) string {
	b := binary.LittleEndian.AppendUint64(nil, epoch)
	b = binary.LittleEndian.AppendUint64(b, top)
	b = binary.LittleEndian.AppendUint32(b, tag)
	for _, v := range []uint64{1000, 10, first, 0, 1000} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return string(append(b, 0))
}

// changeOf returns an entry of a map, as the change script makes it.
func changeOf(key string) string {
	content := appendBody(appendChange(nil, &engine.MapChange{Key: key}), &engine.Proposal{})
	b := binary.LittleEndian.AppendUint32(nil, chainTag(7, 1000, contentHash(content)))
	b = binary.LittleEndian.AppendUint32(b, 7)
	for _, v := range []uint64{1000, 0, 42, 0} { // time, bytes before it, version, expiry
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = append(append(b, "run-of-a"...), 0)
	b = binary.LittleEndian.AppendUint16(b, 0) // no owner
	return string(append(packed.AppendBytes(b, ""), content...))
}

// replySeeds are replies of every script that is read here.
func replySeeds() [][]byte {
	frame := frameOf(engine.Proposal{User: "ann", Message: wire.Message{Data: wire.JSONData([]byte(`"x"`))}})
	entry := string(frame[8+8+4:])
	tag := binary.LittleEndian.Uint32([]byte(entry))
	return [][]byte{
		writeReply(nil, metaOf(5, 42, tag, 1), 1, 42, entry),
		writeReply(nil, metaOf(5, 42, tag, 1), 1, 42),
		writeReply(nil, metaOf(5, 42, tag, 1), 2, 1000, "42", 0, changeOf("k"), changeOf("l")),
		writeReply(nil, 0, 16383, []any{"127.0.0.1", 6379, "id"}),
		writeReply(nil, metaOf(5, 42, tag, 1)[:20]),
		writeReply(nil, nil, nil, nil, nil, nil),
		{},
	}
}

// What Redis answers is read without a panic, whatever it is: another program may have written the keys.
func FuzzReplies(f *testing.F) {
	for _, seed := range replySeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		reply := replyOf(t, data)
		readSlotRange(t, reply)
		parts, err := reply.ToArray()
		if err != nil {
			return
		}
		for _, p := range parts {
			if text, err := p.ToString(); err == nil {
				checkAnswer(t, text)
			}
		}
		readLog(parts)
		readMap(parts)
	})
}

func readSlotRange(t *testing.T, reply rueidis.RedisMessage) {
	if r, err := decodeSlotRange(reply, "host"); err == nil && (r.from < 0 || r.from > r.to || r.to >= slotCount) {
		t.Fatalf("slots %d to %d were taken", r.from, r.to)
	}
}

func checkAnswer(t *testing.T, text string) {
	if r, err := decodeAnswer(text); err == nil && r.Position.Offset > 1<<53 {
		t.Fatalf("answer with position %+v was taken", r.Position)
	}
}

func readLog(parts []rueidis.RedisMessage) {
	at := engine.Position{Epoch: 5, Offset: 41, Tag: 7}
	for _, q := range []engine.Query{
		{Limit: 10}, {Limit: 1, Last: 5}, {Limit: 10, MaxBytes: 1, Since: &at}, {Limit: 10, MaxBytes: 1, Before: &at},
		{Limit: 10, Since: &engine.Position{}}, {Limit: 10, Before: &engine.Position{Offset: math.MaxUint64}},
	} {
		if w, values, err := decodePage(parts, q); err == nil {
			w.read(values)
		}
	}
}

func readMap(parts []rueidis.RedisMessage) {
	scan, err := decodeScan(parts)
	if err != nil {
		return
	}
	scan.begin(nil)
	scan.begin(&engine.Position{Epoch: 5, Offset: 41, Tag: 7})
	scan.runs()
	for _, m := range scan.entries {
		scan.shows(m, true, nil)
	}
}

// What is read of seeds is what they say, so that the fuzzer begins with replies that are taken.
func TestRepliesThatAreTaken(t *testing.T) {
	seeds := replySeeds()
	for i, seed := range seeds[:2] {
		reply := replyOf(t, seed)
		parts, err := reply.ToArray()
		if err != nil {
			t.Fatal(err)
		}
		w, values, err := decodePage(parts, engine.Query{Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		page, err := w.read(values)
		if err != nil || len(page.Publications) != 1-i || page.Top.Offset != 42 {
			t.Errorf("log %d is read as %+v, %v", i, page, err)
		}
	}
	reply := replyOf(t, seeds[2])
	parts, err := reply.ToArray()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := decodeScan(parts); err != nil || len(s.entries) != 2 || s.entries[1].Key != "l" || s.keys != 2 {
		t.Errorf("a map is read as %+v, %v", s, err)
	}
	reply = replyOf(t, seeds[3])
	if r, err := decodeSlotRange(reply, ""); err != nil || r.to != 16383 || r.address != "127.0.0.1:6379" {
		t.Errorf("slots are read as %+v, %v", r, err)
	}
}
