package local

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/earshot/earshot/engine"
)

// The child of TestKill is this test binary with these variables set.
const (
	childDir   = "EARSHOT_KILL_TEST_DIR"
	childRound = "EARSHOT_KILL_TEST_ROUND"
)

const (
	killRounds     = 20
	killPublishers = 8
)

// TestKillChild is the process that TestKill kills: it publishes until then, and says on its standard output what was
// acknowledged and what a reader saw.
func TestKillChild(t *testing.T) {
	dir := os.Getenv(childDir)
	if dir == "" {
		t.Skip("it only runs as a child of TestKill")
	}
	r, err := openRig(t, Options{Dir: dir, Rules: killRules})
	if err != nil {
		t.Fatal(err)
	}
	var out sync.Mutex
	say := func(format string, args ...any) {
		out.Lock()
		defer out.Unlock()
		fmt.Printf(format, args...)
	}
	var publishing sync.WaitGroup
	for i := range killPublishers {
		publishing.Go(func() {
			for j := range 1 << 30 {
				channel, text := fmt.Sprintf("log:%d", i%3), fmt.Sprintf("%s/%d/%d", os.Getenv(childRound), i, j)
				say("acked %s %s %s\n", channel, text, r.mustSay(channel, text))
				say("seen %s %s\n", channel, r.page(channel, engine.Query{Limit: 1}).Top)
			}
		})
	}
	publishing.Wait()
}

func killRules(string) engine.Rules {
	return engine.Rules{Kind: engine.KindLog, MaxPublications: 1 << 20}
}

// TestKill kills a publishing process again and again (D9): what it said was acknowledged must be there after each time,
// once, in the order of its publisher, and no reader's position may be gone.
func TestKill(t *testing.T) {
	dir, told := t.TempDir(), newLedger()
	rounds := killRounds
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		killOnce(t, dir, told, round)
		checkKilled(t, dir, told)
	}
	total := 0
	for _, acked := range told.acked {
		total += len(acked)
	}
	t.Logf("%d rounds, %d acknowledged publications", rounds, total)
}

// killOnce runs a child, and kills it once it has said enough; what it said before it died counts, too.
func killOnce(t *testing.T, dir string, told *ledger, round int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), childDir+"="+dir, childRound+"="+strconv.Itoa(round))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == 100+15*round {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		told.hear(t, lines.Text())
	}
	if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child ended: %v", err)
	}
}

// hear notes what the child said. The last line may be cut off.
func (l *ledger) hear(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 3 {
		return
	}
	p, err := engine.ParsePosition(words[len(words)-1])
	switch {
	case err != nil:
	case words[0] == "acked" && len(words) == 4:
		l.ack(words[1], words[2], p)
	case words[0] == "seen":
		l.see(words[1], p)
	default:
		t.Fatalf("the child said %q", line)
	}
}

func checkKilled(t *testing.T, dir string, told *ledger) {
	t.Helper()
	r, err := openRig(t, Options{Dir: dir, Rules: killRules})
	if err != nil {
		t.Fatal(err)
	}
	defer r.stop()
	checkOrder(t, r)
	told.check(r) // retries every key, too
	checkOrder(t, r)
}

// checkOrder checks that each publisher's messages are there once, in its order.
func checkOrder(t *testing.T, r *rig) {
	t.Helper()
	for i := range 3 {
		next := map[string]int{}
		for _, p := range r.all(fmt.Sprintf("log:%d", i)) {
			text := strings.Trim(string(p.Data.Body), `"`)
			slash := strings.LastIndexByte(text, '/')
			if publisher := text[:slash]; text[slash+1:] != strconv.Itoa(next[publisher]) {
				t.Fatalf("publisher %s: %s, want %d", publisher, text, next[publisher])
			}
			next[text[:slash]]++
		}
	}
}
