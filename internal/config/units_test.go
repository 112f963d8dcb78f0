package config

import (
	"testing"
	"time"
)

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0B": 0, "1B": 1, "1023B": 1023, "1KB": 1 << 10, "64mb": 64 << 20, "3GB": 3 << 30, "1TB": 1 << 40, "8388607TB": 8388607 << 40,
	} {
		var got, again Bytes
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
		if err := again.UnmarshalText([]byte(got.String())); err != nil || again != want {
			t.Errorf("%s: written as %s and read as %d, %v", text, got, again, err)
		}
	}
	for _, text := range []string{"", "B", "KB", "1", "1K", "1KBB", "1BK", "-1KB", "+1KB", " 1KB", "1 KB", "1e3KB", "8388608TB", "9223372036854775808B"} {
		if err := new(Bytes).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"25s": 25 * time.Second, "1h30m": 90 * time.Minute, "30d": 720 * time.Hour, "1.5h": 90 * time.Minute, "0s": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0", "25", "d", "-1d", "1.5d", "1d12h", "99999d", "s", "25 s", "1w"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q is accepted as %v", text, got)
		}
	}
}
