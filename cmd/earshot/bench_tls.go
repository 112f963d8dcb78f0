//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/earshot/earshot/internal/config"
)

// benchTLS is the server of benches with --tls: serve --insecure-open, with a certificate that it makes up.
type benchTLS struct {
	Addr string `default:"127.0.0.1:0"`
	Data string `required:""`
}

// Run serves until ctx ends.
func (c *benchTLS) Run(ctx context.Context, stdout io.Writer) error {
	cfg, err := (&serveCommand{Addr: &c.Addr, Data: &c.Data, InsecureOpen: true}).load(os.Getenv)
	if err != nil {
		return usageError{err}
	}
	dir, err := os.MkdirTemp("", "earshot-bench-tls")
	if err != nil {
		return fmt.Errorf("make a folder for a certificate: %w", err)
	}
	defer os.RemoveAll(dir)
	if cfg.TLS, err = writeSelfSigned(dir); err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	return runServer(ctx, cfg, options(cfg), http.HandlerFunc(signpost), stdout)
}

// writeSelfSigned writes a certificate for localhost, which is good for a day, and its key into dir.
func writeSelfSigned(dir string) (config.TLS, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return config.TLS{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return config.TLS{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return config.TLS{}, err
	}
	files := config.TLS{CertificateFile: filepath.Join(dir, "certificate.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	return files, errors.Join(
		writePEM(files.CertificateFile, "CERTIFICATE", made), writePEM(files.KeyFile, "PRIVATE KEY", secret),
	)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
