package websocket

import (
	"strings"
	"testing"
)

func TestNegotiateDeflate(t *testing.T) {
	const plain, wide = deflateAnswer, deflateAnswer + "; server_max_window_bits=15"
	for _, row := range []struct{ offers, want string }{
		{"", ""},
		{"x-webkit-deflate-frame", ""},
		{"permessage-deflate", plain},
		{" permessage-deflate ; client_max_window_bits ", plain}, // browsers
		{"permessage-deflate; client_max_window_bits=8", plain},
		{`permessage-deflate; client_max_window_bits="12"`, plain},
		{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain},
		{"permessage-deflate; server_max_window_bits=15", wide},
		// Declined, because the server's frames are those of all clients.
		{"permessage-deflate; server_max_window_bits=14", ""},
		{"permessage-deflate; server_max_window_bits=8, permessage-deflate", plain},
		// Not well-formed (section 7.1): declined, and the next is considered.
		{"permessage-deflate; unknown", ""},
		{"permessage-deflate; server_no_context_takeover=1", ""},
		{"permessage-deflate; client_no_context_takeover=", ""},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""},
		{"permessage-deflate; server_max_window_bits", ""},
		{"permessage-deflate; server_max_window_bits=16", ""},
		{"permessage-deflate; server_max_window_bits=015", ""},
		{"permessage-deflate; client_max_window_bits=7", ""},
		{"permessage-deflate; client_max_window_bits=16", ""},
		{"permessage-deflate; client_max_window_bits=+9", ""},
		{"permessage-deflate; client_max_window_bits=", ""},
		{"permessage-deflate;", ""},
		{"permessage-deflate; unknown, permessage-deflate; client_max_window_bits", plain},
		{strings.Repeat("other, ", maxOffers) + "permessage-deflate", ""},
	} {
		if got := negotiateDeflate([]string{row.offers}); got != row.want {
			t.Errorf("%q is answered with %q, want %q", row.offers, got, row.want)
		}
	}
	if got := negotiateDeflate([]string{"other", "permessage-deflate"}); got != plain {
		t.Errorf("over two lines: %q", got)
	}
}

func TestCompressionIsOffUnlessWanted(t *testing.T) {
	const offer = "Sec-WebSocket-Extensions: permessage-deflate"
	_, answer := dialPeerWith(t, startStation(t, Config{}, newEcho), offer)
	if got := answer.Header.Get("Sec-Websocket-Extensions"); got != "" {
		t.Errorf("agreed on %q", got)
	}
	_, answer = dialPeerWith(t, startStation(t, Config{Compression: true}, newEcho), offer)
	if got := answer.Header.Get("Sec-Websocket-Extensions"); got != deflateAnswer {
		t.Errorf("agreed on %q", got)
	}
}
