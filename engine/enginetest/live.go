package enginetest

import (
	"testing"

	"github.com/earshot/earshot/engine"
)

var liveTests = map[string]func(*testing.T, Suite){
	"nobody listens":           nobodyListens,
	"positions while listened": livePositions,
	"a new epoch":              liveEpochs,
	"a log beside it":          liveBesideLog,
}

func nobodyListens(t *testing.T, s Suite) {
	n := start(t, s, always(engine.Rules{}))
	r := n.publish(engine.Proposal{Channel: "live:a", Message: message("1")})
	if r.err != nil || !r.receipt.Position.IsZero() || r.receipt.Durability != engine.DurabilityNone {
		t.Fatalf("answer is %+v, %v", r.receipt, r.err)
	}
	first := n.publish(keyed("live:a", "ann", "k", "2"))
	wantRepeat(t, n.publish(keyed("live:a", "ann", "k", "2")), first)
}

func livePositions(t *testing.T, s Suite) {
	n := start(t, s, always(engine.Rules{}))
	before := n.subscribe("live:a")
	if before.Epoch == 0 || before.Offset != 0 || before.Tag != 0 {
		t.Fatalf("subscribed at %+v", before)
	}
	for i := range 10 {
		if p := n.say("live:a", "x"); p.Epoch != before.Epoch || p.Offset != uint64(i+1) || p.Tag == 0 {
			t.Fatalf("position is %+v", p)
		}
	}
	fed := n.waitFed("live:a", 10)
	checkChain(t, fed)
	if fed[0].PrevTag != 0 || fed[0].UnixMS == 0 {
		t.Fatalf("the first is %+v", fed[0])
	}
}

func liveEpochs(t *testing.T, s Suite) {
	n := start(t, s, always(engine.Rules{}))
	before := n.subscribe("live:a")
	n.say("live:a", "1")
	n.waitFed("live:a", 1)
	n.Unsubscribe("live:a")
	if p := n.say("live:a", "2"); !p.IsZero() {
		t.Fatalf("position without a listener is %+v", p)
	}
	if after := n.subscribe("live:a"); after.Epoch == before.Epoch || after.Offset != 0 {
		t.Fatalf("subscribed at %+v, then at %+v", before, after)
	}
}

func liveBesideLog(t *testing.T, s Suite) {
	n := start(t, s, func(channel string) engine.Rules {
		if channel == "live:a" {
			return engine.Rules{}
		}
		return log(0)
	})
	n.subscribe("live:a")
	n.subscribe("log:a")
	for range 5 {
		n.say("live:a", "x")
		n.say("log:a", "y")
	}
	checkChain(t, n.waitFed("live:a", 5))
	checkChain(t, n.waitFed("log:a", 5))
}
