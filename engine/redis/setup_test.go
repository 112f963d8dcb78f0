package redis

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot/engine"
)

// certify writes a certificate for 127.0.0.1 and its key to a folder, and returns who trusts it.
func certify(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(cert)
	return pool
}

// A user who may use only the engine's keys, over TLS, in a database of its own.
func TestTLSUserAndDatabase(t *testing.T) {
	dir := t.TempDir()
	pool, port := certify(t, dir), freePort(t)
	startServer(t,
		"--tls-port", fmt.Sprint(port), "--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"),
		"--tls-auth-clients", "no",
		"--user", "app", "on", ">secret", "~earshot:*", "&earshot:*", "+@all", "-@dangerous")
	url := fmt.Sprintf("rediss://app:secret@127.0.0.1:%d/3", port)
	n := startNode(t, Options{URL: url, TLS: &tls.Config{RootCAs: pool}})
	n.listen("log:a")
	r, err := n.try("log:a", "k", "1")
	if err != nil || r.Durability != engine.DurabilityRedisUnknown {
		t.Fatalf("answer is %+v, %v", r, err)
	}
	n.waitFed("log:a", r.Position)

	_, err = Open(t.Context(), Options{URL: strings.Replace(url, "secret", "hunter2", 1), TLS: &tls.Config{RootCAs: pool}})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("a wrong password: %v", err)
	}
}

// Pub/sub knows no databases; nodes on different ones are apart all the same, as are those with different prefixes.
func TestDatabasesAndPrefixesAreApart(t *testing.T) {
	s := startServer(t)
	var nodes []*node
	for _, o := range []Options{{URL: s.url()}, {URL: s.url() + "/1"}, {URL: s.url(), Prefix: "other:"}} {
		n := startNode(t, o)
		n.listen("log:a")
		nodes = append(nodes, n)
	}
	for i, n := range nodes {
		n.waitFed("log:a", n.say("log:a", fmt.Sprint(i)))
	}
	for i, n := range nodes {
		if fed := n.feed.of("log:a"); len(fed) != 1 || text(fed[0]) != fmt.Sprint(i) {
			t.Errorf("node %d was fed %d publications", i, len(fed))
		}
		if list, err := n.List(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("node %d knows the nodes %v, %v", i, list, err)
		}
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	for _, o := range []Options{
		{}, {URL: "http://x"}, {URL: "redis://user:hunter2@[::1"}, {URL: "redis://127.0.0.1:1", Timeout: time.Second},
		{URL: "redis://127.0.0.1", Prefix: "a{b}"},
	} {
		e, err := Open(t.Context(), o)
		if err == nil {
			e.Close(context.Background())
			t.Errorf("options %+v were taken", o)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// The entries of a log of limited age expire by themselves; those of another do not, though they once would have.
func TestEntriesExpireByThemselves(t *testing.T) {
	s := startServer(t)
	var age atomic.Int64
	age.Store(int64(time.Hour))
	rules := func(string) engine.Rules {
		return engine.Rules{Kind: engine.KindLog, MaxAge: time.Duration(age.Load())}
	}
	n := startNode(t, Options{URL: s.url(), Rules: rules})
	keys := n.keys.channel("log:a")
	at := n.say("log:a", "1")
	n.say("log:a", "2")
	ttl := func() int64 {
		ms, err := s.do("PTTL", keys.entries).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		return ms
	}
	if ms := ttl(); ms < time.Hour.Milliseconds() {
		t.Fatalf("the entries expire in %d ms", ms)
	}
	s.must("DEL", keys.entries) // as if that time had passed
	if page := n.history("log:a", engine.Query{Since: &at, Limit: 5}); page.Complete || !page.Evicted {
		t.Fatalf("page is %+v", page)
	}
	if p := n.say("log:a", "3"); p.Epoch != at.Epoch || p.Offset != 3 {
		t.Fatalf("position is %+v after %+v", p, at)
	}
	if all := n.everything("log:a"); len(all) != 1 || text(all[0]) != "3" {
		t.Fatalf("the log has %d publications", len(all))
	}
	age.Store(0)
	n.say("log:a", "4")
	if ms := ttl(); ms != -1 {
		t.Fatalf("the entries expire in %d ms", ms)
	}
	if ms, err := s.do("PTTL", keys.meta).AsInt64(); err != nil || ms != -1 {
		t.Fatalf("the log expires in %d ms, %v", ms, err)
	}
}

// A log that was forgotten as a whole begins a new epoch.
func TestForgottenLog(t *testing.T) {
	s := startServer(t)
	n := startNode(t, Options{URL: s.url()})
	before := n.say("log:a", "1")
	keys := n.keys.channel("log:a")
	s.must("DEL", keys.entries, keys.meta)
	if after := n.say("log:a", "1"); after.Epoch == before.Epoch {
		t.Fatalf("position is %+v after %+v", after, before)
	}
}
