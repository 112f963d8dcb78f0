package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateEvery is how often the files of a certificate are looked at, when somebody connects.
const certificateEvery = 10 * time.Second

// certificate is a certificate with its key, in two files, that are read again when they change.
type certificate struct {
	// Set by loadCertificate, then read-only.
	file, key string

	mu sync.Mutex
	// Guarded by mu.
	pair   *tls.Certificate
	stamp  stamp // of the files that pair was read from, or that were found not to be usable
	looked time.Time
}

// stamp tells whether the files have changed.
type stamp struct{ file, key time.Time }

// loadCertificate reads a certificate, and its chain, and its key, which are in PEM.
func loadCertificate(file, key string) (*certificate, error) {
	c := &certificate{file: file, key: key}
	now, err := c.readStamp()
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key: %w", file, err)
	}
	c.pair, c.stamp, c.looked = &pair, now, time.Now()
	return c, nil
}

// config returns the settings of a listener with the certificate: TLS 1.2 or newer, with HTTP/2.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current(time.Now()), nil
		},
	}
}

// current returns the certificate as it is in the files. What is there and cannot be used is reported once, and the one
// before it goes on: a renewal that writes one file after the other is met half way.
func (c *certificate) current(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.looked) < certificateEvery {
		return c.pair
	}
	c.looked = now
	if err := c.reloadLocked(); err != nil {
		slog.Error("the certificate has changed and cannot be used: the one before it goes on", "error", err)
	}
	return c.pair
}

func (c *certificate) reloadLocked() error {
	found, err := c.readStamp()
	if err != nil || found == c.stamp {
		return err
	}
	c.stamp = found
	pair, err := tls.LoadX509KeyPair(c.file, c.key)
	if err != nil {
		return err
	}
	c.pair = &pair
	slog.Info("the certificate was read again", "file", c.file)
	return nil
}

func (c *certificate) readStamp() (s stamp, err error) {
	for file, modified := range map[string]*time.Time{c.file: &s.file, c.key: &s.key} {
		info, err := os.Stat(file)
		if err != nil {
			return stamp{}, fmt.Errorf("look at a file of the certificate: %w", err)
		}
		*modified = info.ModTime()
	}
	return s, nil
}
