//go:build linux

package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/earshot/earshot/internal/bench/crowd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMedianAndRatio(t *testing.T) {
	r := &Report{name: "fanout", subject: "earshot", baseline: "raw", pairs: []pair{
		{figures{cpuPerMillion: 2, connections: 5}, figures{cpuPerMillion: 4, connections: 5}},
		{figures{cpuPerMillion: 9, connections: 5}, figures{cpuPerMillion: 3, connections: 5}},
		{figures{cpuPerMillion: 3, connections: 5}, figures{cpuPerMillion: 5, connections: 5}},
	}}
	if got := median(r.subjects()); got[cpuPerMillion] != 3 || got[connections] != 5 {
		t.Errorf("medians %v", got)
	}
	// The ratios of the pairs are 0.5, 3 and 0.6.
	if got := r.ratio(); len(got) != 1 || got[cpuPerMillion] != 0.6 {
		t.Errorf("ratios %v", got)
	}
	if got := middle([]float64{4, 1}); got != 1 {
		t.Errorf("the lower middle of 1 and 4 is %v", got)
	}
}

// The fields' names are what scripts rely on.
func TestReportAsJSON(t *testing.T) {
	h := crowd.NewHistogram()
	for i := range 1000 {
		h.Record(int64(i) * int64(time.Millisecond))
	}
	mine := figures{connections: 2, rssPerConnection: 10, cpuPercentIdle: 0, errorCount: 0}
	mine.setPercentiles(latency, h)
	r := &Report{name: "idle", subject: "earshot", baseline: "raw", pairs: []pair{{mine, figures{rssPerConnection: 5, errorCount: 1}}}}
	var out bytes.Buffer
	if err := r.write(&out, true); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Connections int      `json:"connections"`
		RSS         float64  `json:"rss_bytes_per_connection"`
		Idle        *float64 `json:"cpu_percent_idle"`
		Latency     struct{ P50, P99, P999 float64 }
		Baseline    struct {
			RSS    float64 `json:"rss_bytes_per_connection"`
			Errors int
			Ratio  struct {
				RSS float64 `json:"rss_bytes_per_connection"`
			}
		}
		Machine struct{ Cores int }
	}
	got.Latency.P50 = -1
	if err := json.Unmarshal(bytes.ReplaceAll(out.Bytes(), []byte("latency_ms"), []byte("latency")), &got); err != nil {
		t.Fatal(err)
	}
	if got.Connections != 2 || got.RSS != 10 || got.Idle == nil || got.Baseline.RSS != 5 || got.Baseline.Ratio.RSS != 2 ||
		got.Baseline.Errors != 1 {
		t.Errorf("%s", out.Bytes())
	}
	if l := got.Latency; l.P50 < 499 || l.P50 > 501 || l.P99 < 988 || l.P99 > 992 || l.P999 < l.P99 {
		t.Errorf("percentiles %+v", l)
	}
}

func TestReportHasAllKeys(t *testing.T) {
	r := &Report{pairs: []pair{{subject: figures{errorCount: 0}}}}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range append(alwaysThere, "baseline", "machine", "command") {
		if _, ok := got[string(key)]; !ok {
			t.Errorf("no %q in %s", key, text)
		}
	}
	if got["errors"] != 0.0 || got["latency_ms"] != nil {
		t.Errorf("%s", text)
	}
}

func TestReportAsTable(t *testing.T) {
	r := &Report{command: "earshot bench fanout", subject: "earshot", baseline: "raw", pairs: []pair{
		{figures{deliveries: 1234567, cpuPerMillion: 1.5}, figures{cpuPerMillion: 2}},
	}}
	var out bytes.Buffer
	if err := r.write(&out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"earshot bench fanout\n", " 1,234,567 ", " 1.500 ", " 2.000 ", " 0.75\n", "ratio"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
}

func TestNumbersAreGrouped(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := (description{metric: connections}).text(figures{connections: v}); got != want {
			t.Errorf("%v is %q", v, got)
		}
	}
}

// The bare server must write as many bytes as Earshot does.
func TestBareFrameIsAPublication(t *testing.T) {
	frame := bareFrame()
	if !strings.HasPrefix(frame, `{"pub":{`) || strings.Count(frame, "{data}") != 1 {
		t.Fatal(frame)
	}
	if whole := strings.Replace(frame, "{data}", string(crowd.Data(128, 1, 1)), 1); !json.Valid([]byte(whole)) {
		t.Errorf("it is not JSON: %s", whole)
	}
}

func TestURLs(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:8000":           "http://127.0.0.1:8000/live/websocket",
		"http://127.0.0.1:8000/":          "http://127.0.0.1:8000/live/websocket",
		"ws://127.0.0.1:8000/x/websocket": "ws://127.0.0.1:8000/x/websocket",
	} {
		if got := earshotURL(base); got != want {
			t.Errorf("%s becomes %s", base, got)
		}
	}
	if got := baseURL("http://h:1/live/websocket"); got != "http://h:1" {
		t.Error(got)
	}
	if got := baseURL("http://h:1/x/websocket"); got != "http://h:1/x" {
		t.Error(got)
	}
}
