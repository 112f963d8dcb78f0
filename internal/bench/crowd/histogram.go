//go:build linux

package crowd

import (
	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bounds of a Histogram: a microsecond to ten minutes, exact to a thousandth.
const (
	maxMicroseconds   = 600e6
	significantDigits = 3
)

// Histogram counts durations. It crosses processes as JSON. The zero value is not ready: use NewHistogram.
type Histogram struct{ h *hdrhistogram.Histogram }

// NewHistogram returns an empty Histogram.
func NewHistogram() *Histogram {
	return &Histogram{hdrhistogram.New(1, maxMicroseconds, significantDigits)}
}

// Record counts a duration in nanoseconds. What is out of bounds counts as the bound.
func (h *Histogram) Record(ns int64) {
	// It fails for values out of bounds only.
	_ = h.h.RecordValue(min(max(ns/1000, 0), maxMicroseconds))
}

// Add counts what other counted.
func (h *Histogram) Add(other *Histogram) { h.h.Merge(other.h) }

// Count returns how many durations were counted.
func (h *Histogram) Count() int64 { return h.h.TotalCount() }

// Milliseconds returns the duration that percent of the counted ones do not exceed.
func (h *Histogram) Milliseconds(percent float64) float64 {
	return float64(h.h.ValueAtPercentile(percent)) / 1000
}

// MarshalText writes h in HdrHistogram's own compressed form.
func (h *Histogram) MarshalText() ([]byte, error) {
	return h.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
}

// UnmarshalText reads what MarshalText wrote.
func (h *Histogram) UnmarshalText(text []byte) (err error) {
	h.h, err = hdrhistogram.Decode(text)
	return err
}
