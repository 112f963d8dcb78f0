package websocket

import (
	"bytes"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestEmptyFragments floods a connection with 300,000 empty fragments of one message.
func TestEmptyFragments(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	p := dialPeer(t, st)
	flood := slices.Concat(frame(beginText, ""), bytes.Repeat(frame(more, ""), 300_000))
	p.send(flood)
	p.wantClose(CloseTooBig)
	wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: CloseTooBig})
}

// TestEmptyFragmentsBehindPings hides the fragments among control frames.
func TestEmptyFragmentsBehindPings(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	p := dialPeer(t, st)
	p.send(slices.Concat(frame(beginText, ""), bytes.Repeat(slices.Concat(frame(finPing, ""), frame(more, "")), 2_000)))
	p.wantClose(CloseTooBig)
}

// TestMaxFragments sends as many fragments as allowed, and one more.
func TestMaxFragments(t *testing.T) {
	p := newTestParser(100, 5)
	for i := range 5 {
		first := more
		if i == 0 {
			first = beginText
		}
		if _, _, err := p.next(frame(first, "")); err != nil {
			t.Fatalf("fragment %d: %v", i, err)
		}
	}
	if _, _, err := p.next(frame(finMore, "")); err == nil || err.Code != CloseTooBig {
		t.Errorf("one fragment too many: %v", err)
	}
}

// TestEndlessMessage sends a message that never ends.
func TestEndlessMessage(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	p := dialPeer(t, st)
	piece := frame(more, strings.Repeat("x", 1000))
	p.send(slices.Concat(frame(beginBinary, ""), bytes.Repeat(piece, 10_000)))
	p.wantClose(CloseTooBig)
}

// TestHugeLengths claims lengths and sends nothing. Nothing may be allocated for them.
func TestHugeLengths(t *testing.T) {
	heads := map[string][]byte{
		"2^63-1":          rawFrame(finBinary, size64, 0x7F, 255, 255, 255, 255, 255, 255, 255),
		"2^64-1":          rawFrame(finBinary, size64, 255, 255, 255, 255, 255, 255, 255, 255),
		"1 GB":            rawFrame(finBinary, size64, 0, 0, 0, 0, 0x40, 0, 0, 0),
		"all that may be": rawFrame(finBinary, size64, 0, 0, 0, 0, 0, 1, 0, 0),
		"65,535":          rawFrame(finBinary, size16, 0xFF, 0xFF),
	}
	for name, head := range heads {
		t.Run(name, func(t *testing.T) {
			const times = 1000
			if got := allocatedBy(func() {
				for range times {
					p := newTestParser(1<<16, 1024)
					_, _, _ = p.next(bytes.Clone(head))
				}
			}); got > 1000*times {
				t.Errorf("%d bytes allocated for a header", got/times)
			}
		})
	}
}

// TestAllocationFollowsBytes sends a long message in small pieces, and wants the parser to hold in proportion to what
// came.
func TestAllocationFollowsBytes(t *testing.T) {
	whole := frame(finBinary, strings.Repeat("x", 1<<16))
	p := newTestParser(1<<16, 1024)
	for sent := 0; sent < len(whole)-100; sent += 100 {
		if _, _, err := p.next(bytes.Clone(whole[sent : sent+100])); err != nil {
			t.Fatal(err)
		}
		if held := cap(p.message); held > maxForesight*(sent+100) {
			t.Fatalf("%d bytes held after %d came", held, sent)
		}
	}
}

// allocatedBy returns how many bytes f allocates.
func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func newTestParser(maxMessageBytes, maxFrames int) *parser {
	return &parser{maxMessageBytes: maxMessageBytes, maxFrames: maxFrames}
}

// TestPingFlood pings without reading the pongs, and wants only the newest of those that could not be sent.
func TestPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := pipeStation(t, Config{}, newOwner)
		p.send(frame(finPing, "first"))
		synctest.Wait() // its pong is being written
		for range 10_000 {
			p.send(frame(finPing, strings.Repeat("x", maxControlBytes)))
		}
		p.send(frame(finPing, "last"))
		synctest.Wait()
		if size := cap(*o.conn.pong); size > 2*maxControlBytes {
			t.Errorf("%d bytes of pongs are kept", size)
		}
		p.want(OpPong, "first")
		p.want(OpPong, "last")
	})
}

// TestDataAfterClose sends on after a close frame. It is not read, and no harm is done.
func TestDataAfterClose(t *testing.T) {
	st := startStation(t, Config{}, newEcho)
	p := dialPeer(t, st)
	p.send(slices.Concat(closeFrame(CloseGoingAway, ""), frame(finText, "ignored"), []byte("\xff\xff not even frames")))
	p.want(OpClose, "\x03\xe9")
	if rest, err := io.ReadAll(p.r); len(rest) > 0 {
		t.Errorf("%q came after the close frame, then %v", rest, err)
	}
	wantCause(t, (<-st.owners).wantClosed(t), CloseError{Code: CloseGoingAway, Peer: true})
}

// TestViolationAmidMuchMore breaks a rule and goes on sending, and must still learn why it was closed: what the server
// has not read when it closes would turn into a reset that overtakes the close frame.
func TestViolationAmidMuchMore(t *testing.T) {
	st := startStation(t, Config{}, newOwner)
	for range 20 {
		p := dialPeer(t, st)
		p.send(slices.Concat(frame(finText, "\xff"), make([]byte, 1<<20)))
		p.wantClose(CloseInvalidPayload)
	}
}
