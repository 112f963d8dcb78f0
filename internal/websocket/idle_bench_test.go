//go:build linux

package websocket

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowdAddr names the server to the process that TestCrowd is in.
const crowdAddr = "EARSHOT_CROWD_ADDR"

// BenchmarkIdle holds b.N idle connections of peers in another process, and reports what each costs in resident memory.
//
//	go test -run NONE -bench Idle -benchtime 10000x ./internal/websocket
func BenchmarkIdle(b *testing.B) {
	b.Run("quiet", func(b *testing.B) { benchmarkIdle(b, true) })
	b.Run("talked", func(b *testing.B) { benchmarkIdle(b, false) })
}

func benchmarkIdle(b *testing.B, quiet bool) {
	if b.N == 1 {
		return // the benchmark's own trial run
	}
	st := startStation(b, Config{}, newDeepEcho)
	before := residentBytes(b)
	crowd := exec.Command(os.Args[0], "-test.run", "^TestCrowd$")
	crowd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %v", crowdAddr, st.http.Listener.Addr(), b.N, quiet))
	crowd.Stderr = os.Stderr
	stdin, err := crowd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := crowd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := crowd.Start(); err != nil {
		b.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "ready\n" {
		b.Fatalf("crowd said %q: %v", line, err)
	}
	<-time.After(time.Minute) // the scavenger returns memory slowly, and pings come and go
	perConn := func(bytes uint64) float64 { return float64(bytes) / float64(b.N) }
	b.ReportMetric(perConn(residentBytes(b)-before), "rss-B/conn")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(perConn(m.StackInuse), "stack-B/conn")
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(perConn(m.HeapAlloc), "heap-B/conn")
	_ = stdin.Close()
	if err := crowd.Wait(); err != nil {
		b.Error(err)
	}
}

// newDeepEcho returns an echo that uses a few KB of stack for a message, as owners do that decode it.
func newDeepEcho(c *Conn) *owner {
	o := newEcho(c)
	echo := o.onMessage
	o.onMessage = func(op Opcode, payload []byte) error {
		if useStack(4) == 0 {
			return nil
		}
		return echo(op, payload)
	}
	return o
}

// useStack uses about 1 KB of stack per level.
//
//go:noinline
func useStack(levels int) int {
	var frame [1 << 10]byte
	frame[levels] = 1
	if levels > 0 {
		frame[0] = byte(useStack(levels - 1))
	}
	return int(frame[0]) + int(frame[levels])
}

// residentBytes returns the process's VmRSS.
func residentBytes(t testing.TB) uint64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// TestCrowd is the other process of BenchmarkIdle: many peers that only answer pings, until standard input ends.
func TestCrowd(t *testing.T) {
	var addr string
	var count int
	var quiet bool
	if n, _ := fmt.Sscan(os.Getenv(crowdAddr), &addr, &count, &quiet); n != 3 {
		t.Skip("not the other process of BenchmarkIdle")
	}
	var peers sync.WaitGroup
	var conns []net.Conn
	for range count {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		if err := joinCrowd(conn, quiet); err != nil {
			t.Fatal(err)
		}
		peers.Go(func() { answerPings(conn) })
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, conn := range conns {
		_ = conn.Close()
	}
	peers.Wait()
}

// joinCrowd shakes hands and, unless quiet, has a message echoed.
func joinCrowd(conn net.Conn, quiet bool) error {
	if _, err := io.WriteString(conn, handshakeRequest()); err != nil {
		return err
	}
	answer := make([]byte, 1024)
	if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101")) {
		return fmt.Errorf("answer %q: %w", answer[:n], err)
	}
	if quiet {
		return nil
	}
	if _, err := conn.Write([]byte{0x82, 0x82, 0, 0, 0, 0, 'h', 'i'}); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, answer[:4])
	return err
}

// answerPings answers every read with a pong: what comes is pings.
func answerPings(conn net.Conn) {
	buf := make([]byte, 16)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
		if _, err := conn.Write([]byte{0x8A, 0x80, 0, 0, 0, 0}); err != nil {
			return
		}
	}
}
