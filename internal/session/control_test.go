package session

import (
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

// Whatever another node says, this one goes on. It is row H18 of the faults.
func TestNonsenseFromOtherNodes(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		b.want("welcome")
		for _, message := range []string{
			"", "null", "[]", `{"action":"disconnect"}`, `{"action":"jump","session":"x"}`, `{"user":7}`, `{"session":{}}`,
			`{"action":"unsubscribe","user":""}`, strings.Repeat("[", 100_000), "\xff\x00",
		} {
			b.node.Told("another", []byte(message))
			if answer := b.node.Asked(t.Context(), "another", []byte(message)); strings.Contains(string(answer), `"Found":true`) {
				t.Errorf("%.40q is answered %s", message, answer)
			}
		}
		b.want()
	})
}

func TestOrdersMeanSomebody(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.link.Receive(wire.ClientFrame{ID: 1, Body: wire.Hello{}})
		id := b.frames()[0].(wire.Welcome).Session
		for _, who := range []Whom{{}, {User: "ann"}, {Session: "another"}} {
			if err := b.node.Do(t.Context(), Order{Whom: who, Action: Disconnect}); err != nil {
				t.Fatal(err)
			}
		}
		b.want()
		if err := b.node.Do(t.Context(), Order{Whom: Whom{Session: id}, Action: Disconnect}); err != nil {
			t.Fatal(err)
		}
		b.want("bye")
	})
}
