//go:build linux

package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/earshot/earshot/client"
)

// writeCertificate writes a new certificate into dir and returns the names of its files.
func writeCertificate(t *testing.T, dir string) (file, key string) {
	t.Helper()
	files, err := writeSelfSigned(dir)
	if err != nil {
		t.Fatal(err)
	}
	return files.CertificateFile, files.KeyFile
}

// touch makes a file look as if it was written at another time than before.
func touch(t *testing.T, at time.Time, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateIsReadAgain(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	file, key := writeCertificate(t, dir)
	touch(t, now.Add(-time.Hour), file, key)
	c, err := loadCertificate(file, key)
	if err != nil {
		t.Fatal(err)
	}
	first := c.current(now)
	writeCertificate(t, dir)
	if c.current(now.Add(time.Second)) != first {
		t.Error("the files were looked at within a second")
	}
	second := c.current(now.Add(certificateEvery + time.Second))
	if second == first {
		t.Error("a new certificate was not read")
	}
	if err := os.WriteFile(file, []byte("half a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, now.Add(time.Hour), file)
	if c.current(now.Add(3*certificateEvery)) != second {
		t.Error("a file that cannot be used took the place of the certificate")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if c.current(now.Add(5*certificateEvery)) != second {
		t.Error("without its file, the certificate is gone")
	}
}

func TestCertificateThatIsNone(t *testing.T) {
	file, key := writeCertificate(t, t.TempDir())
	other, _ := writeCertificate(t, t.TempDir())
	for name, files := range map[string][2]string{
		"no such file":     {file + ".not", key},
		"no such key":      {file, key + ".not"},
		"key of another":   {other, key},
		"the wrong way up": {key, file},
	} {
		if _, err := loadCertificate(files[0], files[1]); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	c, err := loadCertificate(writeCertificate(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.config().MinVersion; got < tls.VersionTLS12 {
		t.Errorf("the oldest version is %s", tls.VersionName(got))
	}
}

// TestServeOverTLS has a client come over each way that there is.
func TestServeOverTLS(t *testing.T) {
	dir := t.TempDir()
	file, key := writeCertificate(t, dir)
	settings := writeSettings(t, dir, "certificate_file: "+file+", key_file: "+key)
	s := startServer(t, nil, "serve", "--config="+settings)
	web := trusting(t, file)

	answer, err := web.Get(s.url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Errorf("health: %s over %s", answer.Status, answer.Proto)
	}
	for _, transport := range []client.Transport{client.TransportWebSocket, client.TransportStream, client.TransportPoll} {
		c, err := client.Connect(t.Context(), s.url, client.Options{Transport: transport, HTTPClient: web})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.PublishJSON(t.Context(), "log:a", "hello"); err != nil {
			t.Errorf("publish over %s: %v", transport, err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, code := s.stop(t); code != exitOK {
		t.Errorf("exited with %d: %s", code, s.stderr)
	}
}

// trusting returns a client that trusts the certificate in file.
func trusting(t *testing.T, file string) *http.Client {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		t.Fatal("the certificate is none")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestServeWithHalfACertificate(t *testing.T) {
	dir := t.TempDir()
	file, _ := writeCertificate(t, dir)
	for _, half := range []string{"certificate_file: " + file, "certificate_file: " + file + ", key_file: " + file} {
		settings := writeSettings(t, dir, half)
		if _, errs, code := runProgram(t, nil, "serve", "--config="+settings); code == exitOK || !strings.Contains(errs, "cert") {
			t.Errorf("%s: exited with %d: %s", half, code, errs)
		}
	}
}

// writeSettings writes a configuration with a certificate into dir, and returns its name.
func writeSettings(t *testing.T, dir, certificate string) string {
	t.Helper()
	name := filepath.Join(dir, "earshot.yaml")
	text := "addr: 127.0.0.1:0\nallow_anonymous: true\ntls: {" + certificate + "}\n" +
		"namespaces: {log: {kind: log, subscribe: anyone, publish: anyone}}\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
