package packed

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// value is one of everything.
func value() []byte {
	b := []byte{1}
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint32(b, 3)
	b = binary.LittleEndian.AppendUint64(b, 4)
	b = binary.AppendUvarint(b, 500)
	return AppendBytes(AppendBytes(b, "text"), []byte{})
}

func read(d *Decoder) bool {
	return d.Byte() == 1 && d.Uint16() == 2 && d.Uint32() == 3 && d.Uint64() == 4 && d.Uvarint() == 500 &&
		d.Text() == "text" && len(d.Bytes()) == 0
}

func TestDecoderReadsWhatWasWritten(t *testing.T) {
	d := Decoder{Rest: value()}
	if !read(&d) || !d.OK() {
		t.Errorf("left over: %+v", d)
	}
	d = Decoder{Rest: append(value(), 0)}
	if !read(&d) || d.OK() {
		t.Errorf("a value with another byte is read as %+v", d)
	}
}

func TestDecoderNoticesTheEnd(t *testing.T) {
	whole := value()
	for n := range whole {
		d := Decoder{Rest: whole[:n]}
		if read(&d); d.OK() || !d.Bad {
			t.Errorf("%d of %d bytes were enough: %+v", n, len(whole), d)
		}
	}
	d := Decoder{Rest: bytes.Repeat([]byte{0xff}, 20)}
	if d.Uvarint() != 0 || !d.Bad || d.Byte() != 0 {
		t.Errorf("a varint without an end is read as %+v", d)
	}
}

// What was read can't be written past its end into what follows.
func TestTakenBytesEndWhereTheyEnd(t *testing.T) {
	rest := []byte{1, 2, 3}
	d := Decoder{Rest: rest}
	if _ = append(d.Take(1), 9); rest[1] != 2 {
		t.Errorf("the value is now %v", rest)
	}
}
