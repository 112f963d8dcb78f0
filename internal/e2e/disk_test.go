package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/earshot/earshot/client"
	"github.com/earshot/earshot/internal/checker"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

// disk is a small file system of its own.
type disk struct {
	t   *testing.T
	dir string
}

// mountDisk makes a file system with so much room. It is gone at the end of the test.
func mountDisk(t *testing.T, bytes int64) *disk {
	t.Helper()
	needRoot(t, "mkfs.ext4", "mount", "umount", "fallocate")
	image := filepath.Join(t.TempDir(), "image")
	d := &disk{t: t, dir: t.TempDir()}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, bytes); err != nil {
		t.Fatal(err)
	}
	command(t, "mkfs.ext4", "-q", "-F", "-m", "0", image)
	if out, err := exec.Command("mount", "-o", "loop", image, d.dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a file here: %v: %s", err, out)
	}
	t.Cleanup(func() { command(t, "umount", d.dir) })
	return d
}

// fill takes all room but so much.
func (d *disk) fill(left int64) {
	d.t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &fs); err != nil {
		d.t.Fatal(err)
	}
	if bytes := int64(fs.Bavail)*fs.Bsize - left; bytes > 0 {
		// The last blocks may be taken by the program before they are taken here, which fills the disk as well.
		_ = exec.Command("fallocate", "-l", fmt.Sprint(bytes), filepath.Join(d.dir, "filler")).Run()
	}
}

// free gives the room back.
func (d *disk) free() {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.dir, "filler")); err != nil {
		d.t.Fatal(err)
	}
}

// The disk of the store gets full while clients publish, first to less than the program keeps in reserve, then to the last
// byte. Publishes that must be kept are refused as that, all else goes on, and what was waiting is committed once there is
// room again. Nothing that was answered is lost or changed, after a kill -9 either.
func TestDiskFull(t *testing.T) {
	run := testkit.Begin("D10")
	d := mountDisk(t, 600<<20)
	server := startWith(t, setup{data: filepath.Join(d.dir, "data"), config: keeping(1_000_000) + openLive})
	l, origin := makeLedger(t, server.url(), "log", checker.Retention{})
	crew := newCrew(t)
	each, times := 500, testkit.Scale(1, 5)
	total := 4 * each * times
	reader := connect(t, server.url(), client.Options{})
	crew.do(func(ctx context.Context) error { return follow(ctx, reader, l, origin, uint64(total)) })
	restarts, late := 0, 0 // late readers' deliveries
	for n := range times {
		publishOver(t, crew, server, l, each)
		before := 4*each*n + each
		for _, left := range []int64{200 << 20, 0} {
			full := newCrew(t)
			full.do(func(ctx context.Context) error {
				return publishLarge(ctx, connect(t, server.url(), client.Options{}), l, each)
			})
			d.fill(left)
			wantFull(t, server)
			wantLive(t, crew.ctx, server)
			wantHistory(t, crew.ctx, server, l, origin, before)
			late += before
			d.free()
			restarts += recovered(t, server)
			full.wait()
		}
		server.kill()
		server.start()
		publishOver(t, crew, server, l, each)
	}
	crew.wait()
	run.Totals = verdict(t, l)
	run.Counted = fmt.Sprintf("full %d times, %d new starts needed, %d kills", 2*times, restarts, times)
	wantAll(t, run.Totals, total, total+late)
	run.End(t)
}

// openLive is an addition to a configuration: channels that keep nothing, for everyone.
const openLive = `
  live:
    subscribe: anyone
    publish: anyone
`

func publishOver(t *testing.T, crew *crew, server *program, l *checker.Ledger, n int) {
	t.Helper()
	if err := publish(crew.ctx, connect(t, server.url(), client.Options{}), l, n, 16); err != nil {
		t.Fatal(err)
	}
}

// wantFull waits until publishes are refused because the disk is full, and the program says so to whoever asks.
func wantFull(t *testing.T, server *program) {
	t.Helper()
	c := testkit.Connect(t, server.url())
	defer c.Close()
	testkit.Eventually(t, "publishes are refused", func() bool {
		c.Send(`{"id":1,"pub":{"ch":"log:other","data":1}}`)
		_, answer := c.Next()
		return strings.Contains(answer, fmt.Sprintf(`"code":%d`, wire.CodeDiskFull))
	})
	if _, text := ready(t, server); !strings.Contains(text, "disk_full") {
		t.Errorf("/ready says %s", text)
	}
}

// wantLive checks that a channel that keeps nothing works.
func wantLive(t *testing.T, ctx context.Context, server *program) {
	t.Helper()
	c := connect(t, server.url(), client.Options{})
	sub, err := c.Subscribe(ctx, "live:a", client.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if _, err := c.PublishJSON(ctx, "live:a", "hello"); err != nil {
		t.Fatal(err)
	}
	if ev, err := sub.Next(ctx); err != nil {
		t.Fatalf("%v, %v", ev, err)
	}
}

// wantHistory checks that what was committed before is read from the start.
func wantHistory(t *testing.T, ctx context.Context, server *program, l *checker.Ledger, origin string, n int) {
	t.Helper()
	r := l.Reader(origin)
	defer r.Leave()
	sub, err := connect(t, server.url(), client.Options{}).Subscribe(ctx, l.Channel(), client.SubscribeOptions{Since: origin})
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	if err := read(ctx, sub, r, uint64(n)); err != nil {
		t.Error(err)
	}
}

// recovered waits until the program commits again, and returns how many new starts that needed: one, if it says that nothing
// else helps.
func recovered(t *testing.T, server *program) (restarts int) {
	t.Helper()
	if _, text := ready(t, server); strings.Contains(text, `"final":true`) {
		server.kill()
		server.start()
		restarts = 1
	}
	testkit.Eventually(t, "it says that it is well", func() bool {
		status, text := ready(t, server)
		return status == http.StatusOK && !strings.Contains(text, "disk_full")
	})
	return restarts
}

// ready asks the program whether it is well.
func ready(t *testing.T, server *program) (status int, text string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(server.url() + "/ready")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}
