package config

import (
	"strings"
	"testing"
)

// FuzzLoad holds that no file panics, that every error says where, and that what is accepted is within its bounds.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(example))
	for _, c := range badFiles {
		if len(c.text) < 4096 { // longer seeds only slow the mutation down
			f.Add([]byte(c.text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := load(Source{File: "f"}, text)
		if err != nil {
			checkMessage(t, err)
			return
		}
		checkAccepted(t, cfg)
	})
}

// maxMessageBytes is generous for maxErrors messages, each with one shortened value.
const maxMessageBytes = (maxErrors + 1) * 1024

func checkMessage(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); !strings.HasPrefix(s, "f:") || len(s) > maxMessageBytes {
		t.Errorf("message of %d bytes: %.200s", len(s), s)
	}
}

func checkAccepted(t *testing.T, cfg *Config) {
	t.Helper()
	if cfg.Addr == "" || cfg.Data == "" || cfg.PingInterval < 5e9 || cfg.PingInterval > 300e9 {
		t.Errorf("accepted %+v", cfg)
	}
	for name, ns := range cfg.Namespaces {
		if hasHistory := ns.History != (History{}); hasHistory != keepsLog(ns.Kind) || name == "" {
			t.Errorf("accepted namespace %q: %+v", name, ns)
		}
		if h := ns.History; h.Size < 0 || h.Bytes < 0 || h.Age < 0 {
			t.Errorf("accepted history %+v", h)
		}
	}
}
