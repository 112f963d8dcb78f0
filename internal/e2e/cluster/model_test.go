package cluster

import (
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
)

// What clients may do with a log, as porcupine judges it. The model is a log as the contract describes it: a list to which
// one publish at a time appends.
type (
	// say publishes a message, and said is the offset that it was answered with. The same message may be published again: it
	// keeps its offset.
	say  struct{ message int }
	said struct{ offset int }
	// look reads the newest publications, and looked is what it found: messages from the one at first on, up to the newest.
	look   struct{}
	looked struct {
		first    int
		messages []int
	}
	// hear is a subscriber's wait for the next publication, and heard what it was told.
	hear  struct{}
	heard struct{ offset, message int }
)

// logModel is the sequential log. Its state is the messages, in order; states share their memory and are never changed.
var logModel = porcupine.Model{
	Init: func() any { return []int(nil) },
	Step: func(state, input, output any) (bool, any) {
		log := state.([]int)
		switch in := input.(type) {
		case say:
			return stepPublish(log, in.message, output.(said).offset)
		case look:
			return holds(log, output.(looked)), log
		case hear:
			out := output.(heard)
			return out.offset <= len(log) && log[out.offset-1] == out.message, log
		}
		return false, log
	},
	Equal: func(a, b any) bool { return slices.Equal(a.([]int), b.([]int)) },
}

func stepPublish(log []int, message, offset int) (bool, any) {
	if before := slices.Index(log, message); before >= 0 {
		return offset == before+1, log
	}
	return offset == len(log)+1, append(slices.Clip(log), message)
}

// holds reports whether a page ends where the log does, with the same messages.
func holds(log []int, p looked) bool {
	from := p.first - 1
	return from >= 0 && from <= len(log) && slices.Equal(log[from:], p.messages)
}

// A check that can't fail is worth nothing: each of these histories breaks one promise.
func TestModelFindsLies(t *testing.T) {
	op := func(call, ret int64, input, output any) porcupine.Operation {
		return porcupine.Operation{Call: call, Return: ret, Input: input, Output: output}
	}
	first, second := op(1, 2, say{7}, said{1}), op(3, 4, say{8}, said{2})
	for name, c := range map[string]struct {
		history []porcupine.Operation
		ok      bool
	}{
		"the truth":                  {[]porcupine.Operation{first, second, op(5, 6, look{}, looked{1, []int{7, 8}})}, true},
		"a repeat is answered alike": {[]porcupine.Operation{first, second, op(5, 6, say{7}, said{1})}, true},
		"a late reader is told":      {[]porcupine.Operation{first, op(5, 9, hear{}, heard{1, 7}), second}, true},
		"two have one offset":        {[]porcupine.Operation{first, op(3, 4, say{8}, said{1})}, false},
		"an offset is left out":      {[]porcupine.Operation{first, op(3, 4, say{8}, said{3})}, false},
		"a repeat is committed anew": {[]porcupine.Operation{first, op(3, 4, say{7}, said{2})}, false},
		"a page is stale":            {[]porcupine.Operation{first, second, op(5, 6, look{}, looked{1, []int{7}})}, false},
		"a page has another order":   {[]porcupine.Operation{first, second, op(5, 6, look{}, looked{1, []int{8, 7}})}, false},
		"heard before it was said":   {[]porcupine.Operation{op(1, 2, hear{}, heard{1, 7}), op(3, 4, say{7}, said{1})}, false},
		"heard at another offset":    {[]porcupine.Operation{first, second, op(5, 6, hear{}, heard{1, 8})}, false},
		"an answered one is not there": {
			[]porcupine.Operation{first, op(3, 4, look{}, looked{1, nil}), second}, false,
		},
		"the offsets go against time": {
			[]porcupine.Operation{op(1, 2, say{8}, said{2}), op(3, 4, say{7}, said{1})}, false,
		},
	} {
		if got := porcupine.CheckOperations(logModel, c.history); got != c.ok {
			t.Errorf("%s: judged %v, want %v", name, got, c.ok)
		}
	}
}
