package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
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

// Some clients, processes of their own, are stopped as by a debugger, and read nothing while much is published: it costs
// the server no memory to speak of and the others no time, and when they go on, they have missed nothing.
func TestReadersStop(t *testing.T) {
	t.Parallel()
	const (
		stopped  = 20
		every    = 5 * time.Millisecond // between two publishes
		size     = 20_000
		maxGrown = 32 << 20 // bytes, for what would be some hundred megabytes in queues
	)
	lasts := testkit.Scale(3*time.Second, 45*time.Second)
	messages := int(lasts / every)
	run := testkit.Begin("L1")
	server := startProgram(t, keeping(4*messages))
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	var processes []*os.Process
	for range stopped {
		processes = append(processes, subscribeProcess(crew, server, l, origin))
	}
	healthy := new(delays)
	watcher, publisher := connect(t, server.url(), client.Options{}), connect(t, server.url(), client.Options{})
	crew.do(func(ctx context.Context) error { return healthy.follow(ctx, watcher, l, origin) })

	large := strings.Repeat("x", size)
	publish := func() (memory int64, p99 time.Duration) {
		if err := publishPaced(crew.ctx, publisher, l, large, messages, every); err != nil {
			t.Fatal(err)
		}
		return server.memory(t), healthy.p99()
	}
	before, alone := publish()
	signal(t, processes, syscall.SIGSTOP)
	after, beside := publish()
	signal(t, processes, syscall.SIGCONT)
	if err := publishText(crew.ctx, publisher, l, endText); err != nil {
		t.Fatal(err)
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("%d of %d readers stopped for %v and %d MB each; memory %+d KB; p99 of the other %v before, %v meanwhile",
		stopped, stopped+1, lasts, messages*size>>20, (after-before)>>10, alone, beside)
	wantAll(t, run.Totals, 2*messages+1, (stopped+1)*(2*messages+1))
	if after-before > maxGrown {
		t.Errorf("%d readers that stopped cost %d bytes", stopped, after-before)
	}
	run.End(t)
}

func signal(t *testing.T, processes []*os.Process, s os.Signal) {
	t.Helper()
	for _, p := range processes {
		if err := p.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
}

// subscribeProcess runs the program as a reader of the ledger until the last message.
func subscribeProcess(crew *crew, server *program, l *checker.Ledger, since string) *os.Process {
	crew.t.Helper()
	cmd := exec.CommandContext(crew.ctx, binary, "sub", "--url="+server.url(), "--since="+since, l.Channel())
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		crew.t.Fatal(err)
	}
	r := l.Reader(since)
	crew.do(func(context.Context) error {
		// It is not asked to end: that the lines do is enough.
		defer func() { _ = cmd.Wait() }()
		defer func() { _ = cmd.Process.Kill() }()
		for lines := bufio.NewReader(stdout); ; {
			text, err := lines.ReadBytes('\n')
			if err != nil {
				return fmt.Errorf("earshot sub: %w", err)
			}
			if last, err := noteLine(r, text); last || err != nil {
				return err
			}
		}
	})
	return cmd.Process
}

// noteLine enters what a line of the program's output says, and reports whether it is the last message.
func noteLine(r *checker.Reader, text []byte) (last bool, err error) {
	var line struct {
		Type     string           `json:"type"`
		Position string           `json:"position"`
		Offset   uint64           `json:"offset"`
		Why      wire.ResetReason `json:"why"`
		Data     json.RawMessage  `json:"data"`
	}
	if err := json.Unmarshal(text, &line); err != nil {
		return false, fmt.Errorf("line %.100s: %w", text, err)
	}
	switch line.Type {
	case "reset":
		return false, r.Note(client.Reset{Position: line.Position, Why: line.Why})
	case "publication":
		p := client.Publication{Offset: line.Offset, Position: line.Position, Message: client.Message{Data: wire.JSONData(line.Data)}}
		return isLast(p), r.Note(p)
	}
	return false, fmt.Errorf("line %.100s makes no sense", text)
}

// delays are how long publications took from their commit to a reader, in whole milliseconds.
type delays struct {
	mu  sync.Mutex
	all []time.Duration // guarded by mu
}

// follow reads like followToEnd, and notes the delays.
func (d *delays) follow(ctx context.Context, c *client.Client, l *checker.Ledger, since string) error {
	return followEach(ctx, c, l, since, func(p client.Publication) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.all = append(d.all, time.Since(p.Time).Truncate(time.Millisecond))
	})
}

// p99 returns what 99 % of the delays since the last call did not exceed.
func (d *delays) p99() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) == 0 {
		return 0
	}
	slices.Sort(d.all)
	p99 := d.all[len(d.all)*99/100]
	d.all = nil
	return p99
}
