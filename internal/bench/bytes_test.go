//go:build linux

package bench

import (
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/bench/crowd"
	"github.com/earshot/earshot/internal/hub"
	"github.com/earshot/earshot/internal/session"
	"github.com/earshot/earshot/internal/websocket"
)

// part is one part of what an idle connection takes on the heap.
type part struct {
	what      string
	functions []string // whose allocations it is: parts of their names
	size      uintptr  // of the type that most of it is; zero: not known here
}

// parts are looked through in order for each function of an allocation's stack, the innermost first.
var parts = []part{
	{"goroutine that reads: its descriptor", []string{"runtime.malg", "runtime.allgadd"}, 0},
	{"`websocket.Conn`", []string{"websocket.newConn"}, unsafe.Sizeof(websocket.Conn{})},
	{"its socket", []string{"websocket.newSocket"}, 0},
	{"handler of the transport", []string{"transport.(*WebSocket).ServeHTTP.func"}, 0},
	{"`session.Link`", []string{"session.(*Node).NewLink"}, unsafe.Sizeof(session.Link{})},
	{"`session.Session`, with its id", []string{"session.newSession"}, unsafe.Sizeof(session.Session{})},
	{"`hub.Subscription`", []string{"hub.(*Hub).Join"}, unsafe.Sizeof(hub.Subscription{})},
	{"what the link has of it", []string{"session.(*subscribing)"}, 0},
	{"place among the channel's listeners", []string{"hub.(*channel).add"}, 0},
	{"registries of sessions and of links", []string{"session.(*registry)", "session.(*Link).Connected"}, 0},
	{"descriptor and addresses, of the net package", []string{"net.(*TCPListener)", "net.(*netFD)"}, 0},
}

const (
	otherParts = "everything else"
	notServers = "" // the load's, and the test's own
)

// idleClients is how many clients the test has. The figures are means, so whatever does not grow with clients counts little.
const idleClients = 1000

// TestBytesOfAnIdleConnection counts what an idle connection with one subscription takes on the heap, by who allocated it,
// and compares the sum with the heap. It prints the table of docs/performance.md:
//
//	go test -v -run TestBytesOfAnIdleConnection ./internal/bench
func TestBytesOfAnIdleConnection(t *testing.T) {
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	runtime.MemProfileRate = 1
	l, err := new(Common).openQuietLibrary(t.Context(), nil, earshot.Namespace{Subscribe: earshot.Anyone})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	web := httptest.NewServer(l.server)
	defer web.Close()
	defer joinCrowd(t, web.URL, firstClients).Close()
	before := takeInventory()
	defer joinCrowd(t, web.URL, idleClients).Close()
	after := takeInventory()

	var sum, mine float64
	each := make(map[string]float64)
	for what, bytes := range after.heap {
		each[what] = float64(bytes-before.heap[what]) / idleClients
		sum += each[what]
	}
	mine = sum - each[notServers]
	for _, p := range slices.Concat(parts, []part{{what: otherParts}}) {
		t.Logf("| %s | %d | %.0f |", p.what, p.size, each[p.what])
		if size := float64(p.size); each[p.what] < 0.95*size || size > 0 && each[p.what] > 1.3*size {
			t.Errorf("%s takes %.0f bytes, but its type has %.0f", p.what, each[p.what], size)
		}
	}
	t.Logf("| heap together | | %.0f |", mine)
	t.Logf("| stack, while some are still large | | %d |", (after.stacks-before.stacks)/idleClients)
	if heap := float64(after.total-before.total) / idleClients; sum < 0.97*heap || sum > 1.03*heap {
		t.Errorf("parts are %.0f bytes, but the heap has grown by %.0f", sum, heap)
	}
	// Goroutines that are about to end, and what the runtime keeps for itself, make for a hundred bytes more or less.
	if mine > 1850 || each[otherParts] > 128 {
		t.Errorf("%.0f bytes of heap for each connection, %.0f of them not accounted for", mine, each[otherParts])
	}
}

func joinCrowd(t *testing.T, url string, clients int) crowd.Crowd {
	t.Helper()
	c, err := crowd.New(crowd.Order{
		URL: url + endpointPath, Dialect: crowd.Earshot(), Clients: clients, Channel: "bench:c", Underway: arrivalsUnderway,
	}, loadProcess)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := c.Arrive(t.Context()); err != nil || a.Arrived != clients {
		c.Close()
		t.Fatalf("%d of %d clients are there: %s, %v", a.Arrived, clients, a.Reason, err)
	}
	return c
}

// inventory is what is in memory after a collection.
type inventory struct {
	heap   map[string]int64 // by part
	total  int64            // of the heap
	stacks int64
}

func takeInventory() inventory {
	for range 3 { // pools are emptied by the second, and the profile is that of the last but one
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	count, _ := runtime.MemProfile(nil, false)
	records := make([]runtime.MemProfileRecord, count+100)
	count, _ = runtime.MemProfile(records, false)
	i := inventory{heap: make(map[string]int64), total: int64(m.HeapAlloc), stacks: int64(m.StackInuse)}
	for _, r := range records[:count] {
		i.heap[partOf(r.Stack())] += r.InUseBytes()
	}
	return i
}

// partOf returns the part that something belongs to which was allocated at stack.
func partOf(stack []uintptr) string {
	frames := runtime.CallersFrames(stack)
	for frame, more := frames.Next(); more; frame, more = frames.Next() {
		if strings.Contains(frame.Function, "internal/bench") && !strings.Contains(frame.Function, "openQuietLibrary") {
			return notServers
		}
		for _, p := range parts {
			if slices.ContainsFunc(p.functions, func(f string) bool { return strings.Contains(frame.Function, f) }) {
				return p.what
			}
		}
	}
	return otherParts
}
