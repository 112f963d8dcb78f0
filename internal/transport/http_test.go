package transport

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/earshot/earshot/wire"
)

func TestExchangeOutlivesAPoll(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		sid := b.open()
		time.Sleep(29 * time.Second)
		b.want(b.get(sid+"?wait=0"), 200, "")
		began := time.Now()
		b.want(b.get(sid), 200, "")
		if took := time.Since(began); took != pollWait {
			t.Errorf("a poll without news took %v", took)
		}
		b.want(b.post(sid+"?n=1", `{"id":1,"ping":{}}`), 204, "")
		time.Sleep(29 * time.Second)
		b.want(b.get(sid), 200, `{"id":1,"pong":{}}`)
		b.want(b.get(sid), 200, "pong") // not acknowledged
		time.Sleep(32 * time.Second)
		b.want(b.get(sid+"?ack=1"), 404, "no_session")
		b.want(b.post(sid+"?n=2", `{"ping":{}}`), 404, "no_session")
	})
}

func TestStreamShowsLifeAndEndsWithSilence(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		sid := b.open()
		for mode, beat := range map[string]string{"stream": "\n", "sse": ":\n\n"} {
			began := time.Now()
			got := b.get(sid + "?wait=50&mode=" + mode)
			if took := time.Since(began); took != 50*time.Second {
				t.Errorf("%s took %v", mode, took)
			}
			if !strings.HasSuffix(got.text, beat+beat+beat) || strings.Contains(got.text, "{") {
				t.Errorf("%s: %q", mode, got.text[paddingSize:])
			}
		}
		ended := make(chan time.Duration, 1)
		began := time.Now()
		go func() {
			b.get(sid + "?wait=50&mode=stream")
			ended <- time.Since(began)
		}()
		time.Sleep(40 * time.Second)
		b.want(b.post(sid, ""), 204, "") // a sign of life
		if took := <-ended; took != 90*time.Second {
			t.Errorf("a stream whose client posted after 40 s took %v", took)
		}
	})
}

// It is part of row H6 of the faults.
func TestSlowBody(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		sid := b.open()
		began := time.Now()
		body, drip := io.Pipe()
		go func() {
			for n := 0; n < 100; n++ {
				if _, err := drip.Write([]byte(" ")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		got := b.do("POST", sid+"?n=1", body)
		b.want(got, 408, "timeout")
		if took := time.Since(began); took != bodyTimeout {
			t.Errorf("it took %v", took)
		}
		drip.CloseWithError(io.ErrClosedPipe)
		time.Sleep(time.Second)
		synctest.Wait()
		b.want(b.post(sid+"?n=1", `{"id":1,"ping":{}}`), 204, "") // nothing of it was taken
	})
}

// They are rows H5 and H14 of the faults.
func TestTooMuch(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		sid := b.open()
		ping := `{"ping":{}}` + "\n"
		for name, text := range map[string]string{
			"bytes":    strings.Repeat(" ", maxUpBytes+1),
			"newlines": strings.Repeat("\n", 4<<20),
			"frame":    `{"id":1,"pub":{"data":"` + strings.Repeat("x", wire.MaxFrameBytes) + `"}}`,
			"frames":   strings.Repeat(ping, maxUpFrames+1),
		} {
			if got := b.post(sid+"?n=1", text); got.status != 413 || !strings.Contains(got.text, "too_large") {
				t.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
		b.want(b.post(sid+"?n=1", strings.Repeat(ping, maxUpFrames)), 204, "")
		b.want(b.post("", strings.Repeat(ping, 2)), 400, "one hello")
		for range maxExchanges - 1 {
			x := newExchange()
			x.link = b.node.NewLink(x, lines{wire.JSON}, handshake(&http.Request{}))
			b.http.add(x)
		}
		refused := b.post("", "")
		b.want(refused, 503, `{"bye":{"code":4103,"name":"overloaded"`)
		if refused.header.Get("Retry-After") == "" {
			t.Error("the refusal does not say when to come back")
		}
		b.want(b.get(sid), 200, "pong")
		time.Sleep(2 * linger)
		b.want(b.post("", ""), 200, "open")
	})
}

// Nobody learns from an answer whether there is such an exchange. It is row H12 of the faults.
func TestWrongSIDsAreAlike(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		over := b.open()
		b.want(b.post(over+"/close", ""), 204, "")
		sid := b.open()
		var first string
		for _, path := range []string{over, "/nobody", "/" + strings.Repeat("x", 4000), sid[:22], "/..%2f", "/%00"} {
			got := fmt.Sprint(b.get(path).text, b.post(path+"?n=1", `{"ping":{}}`).text)
			if first == "" {
				first = got
			}
			if got != first || !strings.Contains(got, "no_session") {
				t.Errorf("%s: %s, want %s", path, got, first)
			}
		}
		b.want(b.post("/nobody/close", ""), 204, "")
	})
}

// It is row H8 of the faults.
func TestOrigins(t *testing.T) {
	inBubble(t, Origins{Allowed: []string{"https://app.example"}}, func(b *bubble) {
		for origin, allowed := range map[string]bool{
			"https://app.example": true, "http://earshot.test": true, "https://APP.example:443": true,
			"null": false, "https://app.example.evil": false, "https://evil-app.example": false,
			"http://app.example": false, "https://app.example:8443": false, "": true,
		} {
			var header []string
			if origin != "" {
				header = []string{"Origin", origin}
			}
			for _, got := range []reply{
				b.do("POST", "", nil, header...),
				b.do("OPTIONS", "", nil, header...),
			} {
				named := got.header.Get("Access-Control-Allow-Origin")
				switch {
				case !allowed && (got.status != 403 || named != ""):
					t.Errorf("%s: %d, named %q", origin, got.status, named)
				case allowed && (got.status >= 400 || named != origin):
					t.Errorf("%s: %d, named %q", origin, got.status, named)
				case got.header.Get("Cache-Control") != "no-store, no-transform" || got.header.Get("Vary") != "Origin":
					t.Errorf("%s: headers %v", origin, got.header)
				}
			}
		}
	})
}

func TestHelloRefused(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		b.want(b.post("", `{"id":1,"hello":{"token":"bad"}}`), 401, "unauthorized")
		if n := len(b.http.exchanges); n != 0 {
			t.Errorf("%d exchanges are left", n)
		}
		b.want(b.post("", `{"id":1,"hello":{"token":"ann"}}`), 200, `"user":"ann"`)
	})
}

// A client that takes no byte is cut off, and its exchange ends. It is part of row L1 of the faults.
func TestReaderThatTakesNothing(t *testing.T) {
	inBubble(t, Origins{}, func(b *bubble) {
		sid := b.open()
		conn, err := b.pipes.dial(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /http%s?mode=stream HTTP/1.1\r\nHost: earshot.test\r\n\r\n", sid)
		time.Sleep(writeTimeout + time.Second)
		b.want(b.post(sid, ""), 204, "")
		if b.http.find(sid[1:]).abandoned(time.Now().Add(linger)) != true {
			t.Error("the answer is still being written")
		}
		time.Sleep(linger)
		b.want(b.post(sid, ""), 404, "no_session")
	})
}
