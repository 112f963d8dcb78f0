//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/earshot/earshot/internal/bench/crowd"
)

// Bounds of flags. Descriptors and ports end long before the first.
const (
	maxConnections = 1_000_000
	maxDuration    = time.Hour
	maxDataBytes   = 48 << 10 // leaves room in a frame of 64 KB
	maxRate        = 100_000
	maxPairs       = 100
)

// Common are the flags of every bench.
type Common struct {
	URL            string `placeholder:"URL" help:"Measure the Earshot at this address. Default: a server of the bench's own."`
	ServerPID      int    `name:"server-pid" placeholder:"PID" help:"With --url: the server's process, to measure its CPU and memory."`
	Baseline       string `placeholder:"WHAT" help:"Compare with: raw (a bare write() loop), redis (publish only), or the ws:// address of another server, with --baseline-frames."`
	BaselineFrames string `placeholder:"FILE" help:"What clients say to the other server. See bench/peers."`
	BaselinePID    int    `name:"baseline-pid" placeholder:"PID" help:"The other server's process, to measure its CPU and memory."`
	Pairs          int    `default:"3" help:"How often server and baseline are measured in turn. The report has the medians."`
	Data           string `placeholder:"DIR" help:"Where temporary data folders are made. Default: the system's."`
	JSON           bool   `help:"Print one JSON object instead of a table."`

	secure  bool     // the bench's own server speaks TLS
	backend *Backend // where the bench's own server keeps its data; nil: in the embedded engine
}

// What --baseline may be besides an address.
const (
	baselineRaw   = "raw"
	baselineRedis = "redis"
)

// Validate is called by kong after parsing.
func (c *Common) Validate() error {
	return errors.Join(
		inRange("--pairs", c.Pairs, 1, maxPairs),
		c.validateServer(),
		c.validateBaseline(),
	)
}

func (c *Common) validateServer() error {
	if c.ServerPID != 0 && c.URL == "" {
		return errors.New("--server-pid: only together with --url")
	}
	if c.URL == "" {
		return nil
	}
	return named("--url", crowd.CheckURL(c.URL))
}

func (c *Common) validateBaseline() error {
	other := strings.Contains(c.Baseline, "://")
	switch {
	case other && c.BaselineFrames == "":
		return errors.New("--baseline-frames: needed to talk to another server")
	case !other && (c.BaselineFrames != "" || c.BaselinePID != 0):
		return errors.New("--baseline-frames and --baseline-pid: only with the address of another server in --baseline")
	case c.Baseline == "" || c.Baseline == baselineRaw || c.Baseline == baselineRedis:
		return nil
	case !other:
		return fmt.Errorf("--baseline: %q is none of raw, redis, and an address such as ws://127.0.0.1:8080/", c.Baseline)
	}
	_, err := crowd.ReadDialect(c.BaselineFrames)
	return errors.Join(named("--baseline", crowd.CheckURL(c.Baseline)), named("--baseline-frames", err))
}

func (c *Common) validateTLS(wanted bool) error {
	if wanted && c.URL != "" {
		return errors.New("--tls: only for a server of the bench's own; --url takes https:// as it is")
	}
	return nil
}

// refuse names the baselines of which a bench can make nothing.
func (c *Common) refuse(what ...string) error {
	for _, refused := range what {
		if c.Baseline == refused {
			return fmt.Errorf("--baseline: %s is no baseline of this bench", refused)
		}
	}
	return nil
}

func named(flag string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

func inRange[T int | float64](flag string, v, least, most T) error {
	if v < least || v > most {
		return fmt.Errorf("%s: must be from %v to %v, not %v", flag, least, most, v)
	}
	return nil
}

func lasting(flag string, d, least time.Duration) error {
	if d < least || d > maxDuration {
		return fmt.Errorf("%s: must be from %v to %v, not %v", flag, least, maxDuration, d)
	}
	return nil
}

// tempDir makes a folder for a server's data.
func (c *Common) tempDir() (string, error) {
	dir, err := os.MkdirTemp(c.Data, "earshot-bench-")
	if err != nil {
		return "", fmt.Errorf("make a temporary folder: %w", err)
	}
	return dir, nil
}
