package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// What a program is built with besides its sources to have a clock of its own: signals move it by an hour. The machine's is
// left alone, and libfaketime does not reach programs that ask the kernel without the C library, as Go's do.
const (
	skewOfTime = `package time

import "sync/atomic"

// Skew is how many seconds Now is ahead of the machine.
var Skew atomic.Int64
`
	skewOfProgram = `package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

func init() {
	moves := make(chan os.Signal, 1)
	signal.Notify(moves, syscall.SIGUSR1, syscall.SIGUSR2)
	go func() {
		for move := range moves {
			if move == syscall.SIGUSR1 {
				time.Skew.Add(3600)
			} else {
				time.Skew.Add(-3600)
			}
		}
	}()
}
`
)

// buildSkewed builds the program with a clock that signals move.
func buildSkewed(t *testing.T) (binary string) {
	t.Helper()
	dir := t.TempDir()
	module := strings.TrimSpace(command(t, "go", "list", "-m", "-f", "{{.Dir}}"))
	source := filepath.Join(strings.TrimSpace(command(t, "go", "env", "GOROOT")), "src", "time", "time.go")
	clock, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const read = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	moved := strings.Replace(string(clock), read, read+"\tsec += Skew.Load()\n", 1)
	if moved == string(clock) {
		t.Skip("this Go reads its clock in another way")
	}
	replace := make(map[string]string)
	for name, text := range map[string]string{
		source: moved,
		filepath.Join(filepath.Dir(source), "skew.go"):  skewOfTime,
		filepath.Join(module, "cmd/earshot", "skew.go"): skewOfProgram,
	} {
		replace[name] = filepath.Join(dir, fmt.Sprint(len(replace), ".go"))
		if err := os.WriteFile(replace[name], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "earshot")
	command(t, "go", "build", "-overlay="+list, "-o", binary, "github.com/earshot/earshot/cmd/earshot")
	return binary
}

// The server's clock is moved forward by an hour, and back: nobody is disconnected or seen to leave, keys that are set live
// as long as they should, and times in a log never go back.
func TestClockMoves(t *testing.T) {
	if !testkit.Soaking() {
		t.Skip("builds all of Go's library anew: run by make soak")
	}
	const (
		ttl      = 2 * time.Second
		grace    = 10 * time.Second
		messages = 100 // after each move
	)
	run := testkit.Begin("L10")
	server := startWith(t, setup{config: withMaps + openLogOf(10_000), program: buildSkewed(t)})
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew, seen, own := newCrew(t), newNotes(), newStates()
	if err := watchBoth(crew, connect(t, server.url(), client.Options{}), seen); err != nil {
		t.Fatal(err)
	}
	network := startCutter(t, server.addr, 1, 1<<40, 1<<41, 0)
	c := connect(t, network.url(), client.Options{OnState: own.add})
	times := new(ascending)
	crew.do(func(ctx context.Context) error {
		return followEach(ctx, c, l, origin, times.note)
	})
	if err := c.Presence("room:a").Join(crew.ctx, wire.JSONData([]byte(`"here"`))); err != nil {
		t.Fatal(err)
	}
	keys := connect(t, server.url(), client.Options{}).Map("map:owned")
	if _, err := keys.SetJSON(crew.ctx, "long", 1, client.SetOptions{TTL: 2 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	publisher := connect(t, server.url(), client.Options{})
	for n, move := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2} {
		if err := server.cmd.Process.Signal(move); err != nil {
			t.Fatal(err)
		}
		if err := publish(crew.ctx, publisher, l, messages, 4); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint("brief ", n)
		if _, err := keys.SetJSON(crew.ctx, name, 1, client.SetOptions{TTL: ttl}); err != nil {
			t.Fatal(err)
		}
		set := time.Now()
		if lived := seen.wait(crew.ctx, t, fmt.Sprintf("key %s false", name), 1).Sub(set); lived < ttl/2 || lived > 3*ttl {
			t.Errorf("after move %d, a key with %v lived %v", n, ttl, lived)
		}
		<-time.After(grace + 2*time.Second) // who is taken for gone is seen to leave within it
	}
	if err := publishText(crew.ctx, publisher, l, endText); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the reader is done", func() bool { return times.count() == 2*messages+1 })
	if seen.count(`left "here"`) != 0 || seen.count("key long false") != 0 || own.count(client.PhaseConnecting) != 0 {
		t.Errorf("told: %v; the client was connecting %d times", seen.told, own.count(client.PhaseConnecting))
	}
	network.setDown(true)
	cut := time.Now()
	left := seen.wait(crew.ctx, t, `left "here"`, 1).Sub(cut)
	if left < grace-time.Second || left > grace+3*time.Second {
		t.Errorf("one whose connection was lost is seen to leave after %v, want %v", left, grace)
	}
	if times.back > 0 {
		t.Errorf("times of the log went back %d times", times.back)
	}
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("the clock moved an hour forward and back; one who left is told after %.1f s", left.Seconds())
	wantAll(t, run.Totals, 2*messages+1, 2*messages+1)
	run.End(t)
	crew.stop(nil)
}

// openLogOf is an addition to a configuration: a log for everyone that keeps so many publications.
func openLogOf(size int) string {
	return fmt.Sprintf(`
  log:
    kind: log
    history: {size: %d}
    subscribe: anyone
    publish: anyone
    read_history: anyone
`, size)
}

// ascending counts publications, and those whose time is before that of the one before.
type ascending struct {
	mu sync.Mutex
	// Guarded by mu.
	seen, back int
	last       time.Time
}

func (a *ascending) note(p client.Publication) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen++
	if p.Time.Before(a.last) {
		a.back++
	}
	a.last = p.Time
}

func (a *ascending) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen
}
