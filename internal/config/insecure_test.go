package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestInsecureOpen(t *testing.T) {
	cfg, err := load(Source{}, []byte("namespaces: {chat: {subscribe: users}}"))
	if err != nil {
		t.Fatal(err)
	}
	if err := InsecureOpen(cfg); err != nil {
		t.Fatal(err)
	}
	want := map[string]Namespace{
		"chat": {Subscribe: Users},
		"log": {
			Kind: KindLog, History: History{Size: 100_000, Age: 24 * time.Hour},
			Subscribe: Anyone, Publish: Anyone, ReadHistory: Anyone, Presence: Anyone,
		},
		"live": {Subscribe: Anyone, Publish: Anyone, Presence: Anyone},
		"map":  {Kind: KindMap, Subscribe: Anyone, Publish: Anyone, ReadHistory: Anyone, Presence: Anyone},
	}
	for name, ns := range want {
		if got := cfg.Namespaces[name]; !reflect.DeepEqual(got, ns) {
			t.Errorf("%s: got %+v, want %+v", name, got, ns)
		}
	}
	if len(cfg.Namespaces) != len(want) || !cfg.AllowAnonymous {
		t.Errorf("got %+v", cfg)
	}
}

func TestInsecureOpenLeavesWhatTheFileSays(t *testing.T) {
	for _, name := range []string{"log", "live", "map"} {
		cfg := &Config{Namespaces: map[string]Namespace{name: {}}}
		err := InsecureOpen(cfg)
		if err == nil || !strings.Contains(err.Error(), `"`+name+`"`) || cfg.AllowAnonymous || len(cfg.Namespaces) != 1 {
			t.Errorf("%s: got %v, %+v", name, err, cfg)
		}
	}
}
