//go:build linux

package crowd

import (
	"encoding/json"
	"testing"
)

func TestDataHasAMarkAndItsSize(t *testing.T) {
	for _, size := range []int{MinDataBytes, 128, 4096} {
		data := Data(size, 1_700_000_000_123_456_789, 42)
		if len(data) != size || !json.Valid(data) {
			t.Errorf("%d bytes of data: %s", len(data), data)
		}
		m, rest, _, ok := nextMark(data, 0)
		if !ok || m != (mark{1_700_000_000_123_456_789, 42}) || len(rest) != size-MinDataBytes+1 {
			t.Errorf("the mark of %s is %+v, %v, and %q follows", data, m, ok, rest)
		}
	}
}

// Servers put several publications in one frame, and channel names and other text before the data.
func TestMarksAreFoundAnywhere(t *testing.T) {
	first, second := Data(64, Stamp(), 1), Data(64, Stamp(), 2)
	frame := []byte(`{"ch":"log:mark@1","x":"mark@"}` + string(first) + "\n" + string(second) + "mark@12")
	var found []uint64
	for hint := 0; ; {
		m, rest, at, ok := nextMark(frame, hint)
		if !ok {
			break
		}
		found, frame, hint = append(found, m.seq), rest, at
	}
	if len(found) != 2 || found[0] != 1 || found[1] != 2 {
		t.Errorf("found %v", found)
	}
}

func TestStampsAdvance(t *testing.T) {
	if a, b := Stamp(), Stamp(); b < a || a < 1_700_000_000_000_000_000 {
		t.Errorf("%d, then %d", a, b)
	}
}

func FuzzNextMark(f *testing.F) {
	f.Add(Data(MinDataBytes, 1, 1), 0)
	f.Add([]byte("mark@mark@"), 5)
	f.Fuzz(func(t *testing.T, b []byte, hint int) {
		_, rest, at, ok := nextMark(b, max(hint, 0))
		if ok && (at < 0 || at+markBytes+len(rest) != len(b)) {
			t.Errorf("mark at %d of %d bytes, %d left", at, len(b), len(rest))
		}
	})
}
