package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const example = `
addr: 0.0.0.0:9000
data: /var/lib/earshot
allow_anonymous: true
allowed_origins: ["https://Example.com:443", http://localhost:5173]
ping_interval: 30s
connect_rate: 2000
tokens:
  issuers:
    - issuer: https://id.example.com
      audience: earshot
      jwks: https://id.example.com/.well-known/jwks.json
    - { issuer: backend, secret_env: BACKEND_SECRET }
namespaces:
  chat:
    kind: log
    history: { size: 10000, bytes: 64MB, age: 30d }
    durability: may-lose-tail
    subscribe: anyone
    publish: users
    read_history: anyone
    read_cursors: users
  news: { kind: log }
  inbox: { kind: inbox, publish: users }
  board: { kind: map, max_keys: 100, max_value: 4KB }
  dm: { kind: log, owners: ["dm:{user},*", "dm:*,{user}"], subscribe: owners, publish: owners, read_history: owners }
  live:
    subscribe: users
`

func TestLoadReadsEveryKey(t *testing.T) {
	t.Setenv("BACKEND_SECRET", testSecret)
	got, err := load(Source{File: "earshot.yaml"}, []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Addr:           "0.0.0.0:9000",
		Data:           "/var/lib/earshot",
		AllowAnonymous: true,
		AllowedOrigins: []string{"https://example.com", "http://localhost:5173"},
		PingInterval:   30 * time.Second,
		ConnectRate:    2000,
		Tokens: Tokens{Issuers: []Issuer{
			{Issuer: "https://id.example.com", Audience: "earshot", JWKS: "https://id.example.com/.well-known/jwks.json"},
			{Issuer: "backend", SecretEnv: testSecret},
		}},
		Namespaces: map[string]Namespace{
			"chat": {
				Kind: KindLog, History: History{Size: 10000, Bytes: 64 << 20, Age: 720 * time.Hour},
				Durability: MayLoseTail, Subscribe: Anyone, Publish: Users, ReadHistory: Anyone,
				ReadCursors: Users,
			},
			"news":  {Kind: KindLog, History: DefaultHistory},
			"inbox": {Kind: KindInbox, History: DefaultHistory, Publish: Users},
			"board": {Kind: KindMap, MaxKeys: 100, MaxValue: 4 << 10},
			"dm": {
				Kind: KindLog, History: DefaultHistory, Owners: []string{"dm:{user},*", "dm:*,{user}"},
				Subscribe: Owners, Publish: Owners, ReadHistory: Owners,
			},
			"live": {Subscribe: Users},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLoadWithoutAnything(t *testing.T) {
	for name, text := range map[string]string{"empty": "", "a comment": "# nothing\n", "an empty mapping": "{}"} {
		got, err := load(Source{}, []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := &Config{Addr: "127.0.0.1:8000", Data: "./earshot-data", PingInterval: 25 * time.Second, ConnectRate: 5000}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func TestPrecedence(t *testing.T) {
	file := []byte("addr: file:1\n")
	env := func(name string) string { return map[string]string{"EARSHOT_ADDR": "env:2"}[name] }
	flags := map[string]string{"addr": "flag:3"}
	for _, c := range []struct {
		name string
		src  Source
		text []byte
		want string
	}{
		{"flag over all", Source{Flags: flags, Env: env}, file, "flag:3"},
		{"environment over the file", Source{Env: env}, file, "env:2"},
		{"file over the default", Source{}, file, "file:1"},
		{"an empty variable is not set", Source{Env: func(string) string { return "" }}, file, "file:1"},
		{"default", Source{}, nil, "127.0.0.1:8000"},
	} {
		got, err := load(c.src, c.text)
		if err != nil || got.Addr != c.want {
			t.Errorf("%s: got %+v, %v; want addr %s", c.name, got, err, c.want)
		}
	}
}

func TestLoadReadsTheEnvironment(t *testing.T) {
	env := map[string]string{
		"EARSHOT_ADDR": ":0", "EARSHOT_DATA": "d", "EARSHOT_ALLOW_ANONYMOUS": "true",
		"EARSHOT_ALLOWED_ORIGINS": "https://a.example, https://b.example:8443", "EARSHOT_PING_INTERVAL": "1m", "EARSHOT_CONNECT_RATE": "7",
	}
	got, err := Load(Source{Env: func(name string) string { return env[name] }})
	want := &Config{
		Addr: ":0", Data: "d", AllowAnonymous: true, PingInterval: time.Minute, ConnectRate: 7,
		AllowedOrigins: []string{"https://a.example", "https://b.example:8443"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestLoadNamesTheFileThatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{filepath.Join(dir, "missing.yaml"), dir} {
		if _, err := Load(Source{File: name}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that names it", name, err)
		}
	}
}

func TestLoadReadsAFileOnDisk(t *testing.T) {
	name := filepath.Join(t.TempDir(), "earshot.yaml")
	if err := os.WriteFile(name, []byte("adr: :1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(Source{File: name})
	if want := name + `:1:1: unknown key "adr"; did you mean "addr"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
