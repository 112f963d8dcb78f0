package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keySetFresh   = 10 * time.Minute // after which a set is read again
	keySetUsable  = 24 * time.Hour   // for how long an old set serves while its address does not answer
	keySetPause   = 30 * time.Second // between two requests, whatever tokens name
	keySetTimeout = 10 * time.Second
	maxKeySet     = 1 << 20 // bytes
)

// remoteKeys is the key set of one issuer, read from the address that the configuration names. Nothing in a token has a
// say in where keys come from.
type remoteKeys struct {
	// Set by newRemoteKeys, then read-only.
	address string
	client  *http.Client

	reading chan struct{} // holds one token: who has it may send a request

	mu sync.Mutex
	// Guarded by mu.
	set   keySet
	read  time.Time // when set was read
	asked time.Time // when it was last asked for
	last  error     // what came of that
}

func newRemoteKeys(address string, client *http.Client) (*remoteKeys, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("the JWKS address is not a URL without user and password")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, errors.New("the JWKS address must be https: whoever can change the keys can be anyone")
	}
	return &remoteKeys{address: address, client: client, reading: make(chan struct{}, 1)}, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// key implements keySource. A kid that is not in the set makes it read again, since issuers rotate their keys; a flood
// of such tokens costs one request in keySetPause.
func (r *remoteKeys) key(ctx context.Context, kid string, alg jose.SignatureAlgorithm) (any, error) {
	set, old, _ := r.current()
	key, found := set.find(kid, alg)
	if found && !old {
		return key, nil
	}
	if err := r.refresh(ctx, set); err != nil && !found {
		return nil, err
	}
	set, _, err := r.current()
	if key, ok := set.find(kid, alg); ok {
		return key, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, errNoKey
}

// current returns the set, whether it should be read again, and what went wrong when that was last tried.
func (r *remoteKeys) current() (set keySet, old bool, last error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	age := time.Since(r.read)
	if age > keySetUsable {
		return nil, true, r.last
	}
	return r.set, age > keySetFresh, r.last
}

// refresh reads the set again, unless that was done since the caller looked, or too little time has passed.
func (r *remoteKeys) refresh(ctx context.Context, seen keySet) error {
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	case <-ctx.Done():
		return fmt.Errorf("wait for the keys of an issuer: %w", ctx.Err())
	}
	if !r.due(seen) {
		return nil
	}
	set, err := r.fetch(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = err
	if err == nil {
		r.set, r.read = set, time.Now()
	}
	return err
}

// due reports whether a request may be sent now, and counts it as sent.
func (r *remoteKeys) due(seen keySet) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := len(seen) != len(r.set) || len(seen) > 0 && &seen[0] != &r.set[0]
	if changed || time.Since(r.asked) < keySetPause {
		return false
	}
	r.asked = time.Now()
	return true
}

func (r *remoteKeys) fetch(ctx context.Context) (keySet, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keySetTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.address, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for a key set: %w", err)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask for a key set: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for a key set: the answer is %s", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxKeySet+1))
	if err != nil {
		return nil, fmt.Errorf("read a key set: %w", err)
	}
	if len(text) > maxKeySet {
		return nil, fmt.Errorf("a key set has more than %d bytes", maxKeySet)
	}
	return parseKeySet(text)
}

// newClient returns a client that follows no redirects: an open redirect on the issuer's host must not choose the keys.
func newClient() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
