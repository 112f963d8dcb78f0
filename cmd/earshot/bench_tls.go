//go:build linux

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"time"

	"github.com/earshot/earshot"
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
	certificate, err := selfSigned()
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	ln, err := listen(ctx, cfg.Addr)
	if err != nil {
		return err
	}
	server, err := earshot.New(options(cfg))
	if err != nil {
		ln.Close()
		return err
	}
	secure := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}
	mux := http.NewServeMux()
	mux.Handle("/live/", server)
	return serveHTTP(ctx, tls.NewListener(ln, secure), newHTTP(mux), server, stdout)
}

// selfSigned returns a certificate that is good for a day.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
