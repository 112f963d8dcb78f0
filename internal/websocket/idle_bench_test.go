//go:build linux

package websocket

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// crowdEnv tells TestCrowd what to do: address, number of peers, whether they talk, whether over TLS.
const crowdEnv = "EARSHOT_CROWD"

// BenchmarkIdle holds b.N idle connections of peers in another process for a minute, and reports what each costs in
// resident memory, and what pinging all of them costs.
//
//	go test -run NONE -bench Idle/talked -benchtime 10000x ./internal/websocket
//
// One variant a run: memory that one has freed would hide what the next takes.
func BenchmarkIdle(b *testing.B) {
	b.Run("quiet", func(b *testing.B) { benchmarkIdle(b, (*httptest.Server).Start, "false false") })
	b.Run("talked", func(b *testing.B) { benchmarkIdle(b, (*httptest.Server).Start, "true false") })
	b.Run("tls", func(b *testing.B) { benchmarkIdle(b, (*httptest.Server).StartTLS, "true true") })
}

func benchmarkIdle(b *testing.B, start func(*httptest.Server), how string) {
	if b.N == 1 {
		return // the benchmark's own trial run
	}
	st := startStationWith(b, Config{}, newDeepEcho, start)
	before := residentBytes(b)
	leave := gatherCrowd(b, fmt.Sprintf("%s %d %s", st.http.Listener.Addr(), b.N, how))
	defer leave()

	cpu := cpuTime(b)
	<-time.After(time.Minute) // the scavenger returns memory slowly, and pings come and go
	b.ReportMetric(100*(cpuTime(b)-cpu).Minutes(), "%cpu")
	perConn := func(bytes uint64) float64 { return float64(bytes) / float64(b.N) }
	b.ReportMetric(perConn(residentBytes(b)-before), "rss-B/conn")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(perConn(m.StackInuse), "stack-B/conn")
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(perConn(m.HeapAlloc), "heap-B/conn")
}

// gatherCrowd starts the other process and waits until its peers are there.
func gatherCrowd(b *testing.B, task string) (leave func()) {
	b.Helper()
	crowd := exec.Command(os.Args[0], "-test.run", "^TestCrowd$")
	crowd.Env = append(os.Environ(), crowdEnv+"="+task)
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
	return func() {
		_ = stdin.Close()
		if err := crowd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// cpuTime returns what the process has used.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
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
	var talk, secure bool
	if n, _ := fmt.Sscan(os.Getenv(crowdEnv), &addr, &count, &talk, &secure); n != 4 {
		t.Skip("not the other process of BenchmarkIdle")
	}
	var peers sync.WaitGroup
	var conns []net.Conn
	for range count {
		conn, err := joinCrowd(addr, talk, secure)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		peers.Go(func() { answerPings(conn) })
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, conn := range conns {
		_ = conn.Close()
	}
	peers.Wait()
}

// joinCrowd connects, shakes hands and, if it is to talk, has a message echoed.
func joinCrowd(addr string, talk, secure bool) (net.Conn, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if secure {
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}) // our own process's test certificate
	}
	if _, err := io.WriteString(conn, handshakeRequest()); err != nil {
		return nil, err
	}
	answer := make([]byte, 1024)
	if n, err := conn.Read(answer); err != nil || !bytes.HasPrefix(answer[:n], []byte("HTTP/1.1 101")) {
		return nil, fmt.Errorf("answer %q: %w", answer[:n], err)
	}
	if talk {
		if _, err := conn.Write(frame(finBinary, "hi")); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(conn, answer[:4]); err != nil {
			return nil, err
		}
	}
	return conn, nil
}

// answerPings answers every read with a pong: what comes is pings.
func answerPings(conn net.Conn) {
	buf := make([]byte, 16)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
		if _, err := conn.Write(frame(finPong, "")); err != nil {
			return
		}
	}
}
