//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// benchReport is what the tests look at of a report.
type benchReport struct {
	Bench       string
	Command     string
	Connections int
	Messages    int64
	Deliveries  int64
	PerSecond   float64  `json:"deliveries_per_second"`
	PerMillion  float64  `json:"server_cpu_seconds_per_million"`
	RSS         float64  `json:"rss_bytes_per_connection"`
	Idle        *float64 `json:"cpu_percent_idle"`
	Connects    float64  `json:"connects_per_second"`
	Publishes   float64  `json:"publishes_per_second"`
	Recovered   int
	Recoveries  float64 `json:"recoveries_per_second"`
	EngineCPU   float64 `json:"engine_cpu_us_per_publish"`
	EngineBytes float64 `json:"engine_memory_bytes_per_channel"`
	ToStuck     int64   `json:"deliveries_to_stuck"`
	Errors      *int
	JoinBytes   float64       `json:"bytes_per_join_and_watcher"`
	LeaveBytes  float64       `json:"bytes_per_leave_and_watcher"`
	JoinKnown   *benchLatency `json:"join_known_ms"`
	LeaveKnown  *benchLatency `json:"leave_known_ms"`
	Latency     *benchLatency `json:"latency_ms"`
	Before      *benchLatency `json:"latency_before_ms"`
	Machine     struct{ Cores int }
	Baseline    *struct {
		benchReport
		Server string
		Ratio  map[string]any
	}
	Pairs []any
}

type benchLatency struct{ P50, P99, P999 float64 }

// plausible reports whether the percentiles are those of something that took time.
func (l *benchLatency) plausible() bool {
	return l != nil && l.P50 > 0 && l.P50 <= l.P99 && l.P99 <= l.P999 && l.P999 < 60_000
}

// runBench runs a bench against servers of its own and returns its report. There must be no errors, and nothing left over.
func runBench(t *testing.T, args string) (r benchReport) {
	t.Helper()
	runBenchInto(t, args, &r)
	return r
}

// runBenchInto is runBench for what else a report may have.
func runBenchInto(t *testing.T, args string, more any) {
	t.Helper()
	data := t.TempDir()
	stdout, stderr, code := runProgram(t, nil, append(strings.Fields("bench "+args), "--json", "--data", data)...)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	var r benchReport
	if err := errors.Join(json.Unmarshal([]byte(stdout), &r), json.Unmarshal([]byte(stdout), more)); err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	if r.Errors == nil || *r.Errors != 0 || r.Machine.Cores < 1 || !strings.Contains(r.Command, "bench "+args) {
		t.Errorf("%s\n%s", stdout, stderr)
	}
	if !strings.Contains(stderr, "bench "+r.Bench+": 1 of ") {
		t.Errorf("no progress: %s", stderr)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestBenchFanout(t *testing.T) {
	t.Parallel()
	for name, pace := range map[string]string{"paced": "--rate=100", "saturated": "--in-flight=8"} {
		t.Run(name, func(t *testing.T) {
			r := runBench(t, "fanout --subscribers=50 --warmup=100ms --duration=500ms --baseline=raw --pairs=2 "+pace)
			if r.Connections != 50 || r.Messages < 5 || r.Deliveries != r.Messages*50 || r.PerSecond <= 0 || r.PerMillion < 0 {
				t.Errorf("%+v", r)
			}
			if b := r.Baseline; b == nil || b.Server != "raw" || b.Deliveries != b.Messages*50 || b.PerSecond <= 0 ||
				!b.Latency.plausible() || b.Ratio["latency_ms"] == nil {
				t.Errorf("baseline %+v", b)
			}
			if !r.Latency.plausible() || len(r.Pairs) != 2 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestBenchIdle(t *testing.T) {
	t.Parallel()
	r := runBench(t, "idle --connections=200 --channels=200 --settle=100ms --duration=200ms --baseline=raw --pairs=1")
	if r.Connections != 200 || r.RSS <= 0 || r.RSS > 1<<20 || r.Idle == nil || *r.Idle < 0 {
		t.Errorf("%+v", r)
	}
	if b := r.Baseline; b == nil || b.RSS >= r.RSS {
		t.Errorf("baseline %+v", b)
	}
}

func TestBenchConnect(t *testing.T) {
	t.Parallel()
	r := runBench(t, "connect --connections=200 --in-flight=50 --channels=3 --duration=300ms --baseline=raw --pairs=1")
	if r.Connections != 200 || r.Connects <= 0 || !r.Latency.plausible() || !r.Before.plausible() {
		t.Errorf("%+v", r)
	}
	if b := r.Baseline; b == nil || b.Connects <= 0 || b.Latency != nil {
		t.Errorf("baseline %+v", b)
	}
}

func TestBenchOverTLS(t *testing.T) {
	t.Parallel()
	r := runBench(t, "connect --tls --connections=100 --duration=300ms")
	if r.Connections != 100 || r.Connects <= 0 || !r.Latency.plausible() {
		t.Errorf("%+v", r)
	}
	// So many that what the process itself takes more or less from run to run does not count.
	plain := runBench(t, "idle --connections=500 --settle=100ms --duration=200ms")
	secure := runBench(t, "idle --tls --connections=500 --settle=100ms --duration=200ms")
	if secure.RSS <= plain.RSS {
		t.Errorf("a connection takes %v bytes with TLS, and %v without", secure.RSS, plain.RSS)
	}
}

func TestBenchRecover(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]string{"one channel": "", "from disk": " --channels=30 --restart"} {
		t.Run(name, func(t *testing.T) {
			r := runBench(t, "recover --connections=100 --missed=20"+flags)
			if r.Recovered != 100 || r.Deliveries != 2000 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestBenchLatency(t *testing.T) {
	t.Parallel()
	r := runBench(t, "latency --connections=100 --rate=50 --broadcast-rate=20 --duration=500ms")
	if r.Connections != 102 || !r.Latency.plausible() || !r.Before.plausible() || r.Messages < 2 {
		t.Errorf("%+v", r)
	}
}

func TestBenchSlow(t *testing.T) {
	t.Parallel()
	r := runBench(t, "slow --subscribers=20 --warmup=200ms --duration=500ms --pairs=1")
	if r.Deliveries != r.Messages*19 || r.ToStuck == 0 || !r.Latency.plausible() {
		t.Errorf("%+v", r)
	}
	if b := r.Baseline; b == nil || b.Deliveries != b.Messages*20 || b.Server != "none stuck" {
		t.Errorf("baseline %+v", b)
	}
}

func TestBenchPublish(t *testing.T) {
	t.Parallel()
	args := "publish --publishers=4 --channels=200 --warmup=50ms --duration=300ms --pairs=1"
	if _, err := exec.LookPath("redis-server"); err == nil {
		args += " --baseline=redis"
	}
	r := runBench(t, args)
	if r.Messages < 1 || r.Deliveries < r.Messages || r.Publishes <= 0 || !r.Latency.plausible() {
		t.Errorf("%+v", r)
	}
	if b := r.Baseline; b != nil && (b.Publishes <= 0 || b.Deliveries < b.Messages || *b.Errors != 0) {
		t.Errorf("baseline %+v", b)
	}
}

func TestBenchPresence(t *testing.T) {
	t.Parallel()
	engines := []string{"local"}
	if _, err := exec.LookPath("redis-server"); err == nil {
		engines = append(engines, "redis-memory")
	}
	for i, engine := range engines {
		t.Run(engine, func(t *testing.T) {
			who := []string{"--watchers=3", "--all-watch"}[i]
			r := runBench(t, "presence --members=40 --changes=20 --rate=100 --singles=2 --settle=200ms "+who+" --engine="+engine)
			// A frame of presence names the map, the position and the key: no fewer bytes can be right, and it is told once.
			if r.Connections != 20 || r.JoinBytes < 100 || r.JoinBytes > 1000 || r.LeaveBytes < 50 || r.LeaveBytes > r.JoinBytes {
				t.Errorf("%+v", r)
			}
			if !r.JoinKnown.plausible() || !r.LeaveKnown.plausible() || r.JoinKnown.P50 < 100 {
				t.Errorf("known after %+v, %+v", r.JoinKnown, r.LeaveKnown)
			}
		})
	}
}

// Benches whose server keeps its data in a Redis of their own.
func TestBenchOnRedis(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: apt-get install redis-server")
	}
	r := runBench(t, "publish --publishers=4 --channels=10 --warmup=50ms --duration=300ms --engine=redis-always")
	if r.Messages < 1 || r.Deliveries < r.Messages || r.Publishes <= 0 || r.EngineCPU <= 0 {
		t.Errorf("%+v", r)
	}
	r = runBench(t, "recover --connections=100 --missed=20 --channels=100 --restart --engine=redis-everysec")
	if r.Recovered != 100 || r.Deliveries != 2000 || r.Recoveries <= 0 {
		t.Errorf("%+v", r)
	}
	r = runBench(t, "start --channels=300 --settle=0s --engine=redis-memory")
	if r.EngineBytes < 300 || r.EngineBytes > 10_000 {
		t.Errorf("%+v", r)
	}
}

// A bench against a server of somebody else's, whose process is known, and that goes on afterwards.
func TestBenchOfAnotherServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, nil, "serve", "--insecure-open", "--addr=127.0.0.1:0")
	frames := filepath.Join(t.TempDir(), "frames.yaml")
	text := `subscribe: ['{"id":1,"sub":{"ch":"{channel}"}}']
ready: '"subscribed":'
publish: '{"pub":{"ch":"{channel}","data":{data}}}'
`
	if err := os.WriteFile(frames, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runBench(t, "fanout --subscribers=10 --rate=50 --warmup=0s --duration=300ms --pairs=1 --url="+s.url+
		" --baseline="+strings.Replace(s.url, "http", "ws", 1)+"/live/websocket --baseline-frames="+frames)
	if r.Deliveries != r.Messages*10 || r.Baseline == nil || r.Baseline.Deliveries != r.Baseline.Messages*10 {
		t.Errorf("%+v", r)
	}
	if _, code := s.stop(t); code != exitOK {
		t.Errorf("the server ended with %d", code)
	}
}

// SIGINT ends a bench at once, and its server with it.
func TestBenchIsInterrupted(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	cmd := program(t, nil, "bench", "idle", "--connections=10", "--settle=1h", "--data", data)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []byte
	for buf := make([]byte, 1024); !strings.Contains(string(said), "resting"); {
		n, err := stderr.Read(buf)
		if said = append(said, buf[:n]...); err != nil {
			t.Fatalf("it ended by itself: %s", said)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its exit code is looked at below
	if code := cmd.ProcessState.ExitCode(); code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestBadBenchFlags(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte("publsh: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"fanout --subscribers=0":     "--subscribers: must be from 1 to 1000000, not 0",
		"fanout --size=10":           "--size: must be from ",
		"fanout --rate=0":            "--rate: must be from ",
		"fanout --in-flight=-1":      "--in-flight: must be from ",
		"fanout --duration=2h":       "--duration: must be from 100ms to 1h0m0s, not 2h0m0s",
		"fanout --pairs=0":           "--pairs: must be from 1 to 100, not 0",
		"fanout --server-pid=1":      "--server-pid: only together with --url",
		"fanout --url=nonsense":      "--url: ",
		"fanout --baseline=nonsense": `--baseline: "nonsense" is none of raw, redis, and an address`,
		"fanout --baseline=redis":    "--baseline: redis is no baseline of this bench",
		"fanout --baseline=ws://x/":  "--baseline-frames: needed",
		"fanout --baseline=ws://x/ --baseline-frames=" + missing:   "no such file",
		"fanout --baseline=ws://x/ --baseline-frames=" + broken:    "--baseline-frames: ",
		"fanout --baseline-frames=x":                               "only with the address of another server",
		"idle --connections=2 --channels=3":                        "--channels: must be from 1 to 2, not 3",
		"idle --tls --url=https://x":                               "--tls: only for a server of the bench's own",
		"connect --in-flight=-1":                                   "--in-flight: must be from ",
		"recover --baseline=raw":                                   "--baseline: this bench has none",
		"recover --restart --url=http://x":                         "--restart: only with a server of the bench's own",
		"latency --baseline=raw":                                   "--baseline: raw is no baseline of this bench",
		"slow --subscribers=1":                                     "--subscribers: must be from 2 ",
		"publish --url=http://x":                                   "--url: this bench uses the Go API",
		"publish --baseline=raw":                                   "--baseline: only redis",
		"publish --channels=250":                                   "--channels: above 100, must be a multiple",
		"presence --members=2 --changes=3":                         "--changes: must be from 1 to 2, not 3",
		"presence --changes=2 --singles=3":                         "--singles: must be from 1 to 2, not 3",
		"presence --members=9 --changes=9 --singles=1 --all-watch": "--all-watch: all members come and go",
		"presence --baseline=raw":                                  "--baseline: this bench has none",
		"publish --engine=nonsense":                                `--engine: "nonsense" is none of local, `,
		"publish --engine=redis-always --engine-pid=1":             "--engine-pid: only with a redis:// address",
		"recover --engine=redis-always --url=http://x":             "--engine: only with a server of the bench's own",
		"publish --publishers=0":                                   "--publishers: must be from 1 ",
		"nonsense":                                                 "unexpected argument nonsense",
		"fanout extra":                                             "unexpected argument extra",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := runProgram(t, nil, append([]string{"bench"}, strings.Fields(args)...)...)
			if !strings.Contains(stderr, want) || stdout != "" || code != exitUsage {
				t.Errorf("exit code %d, %q; want %q", code, stderr, want)
			}
		})
	}
}
