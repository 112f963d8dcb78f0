package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/config"
)

// runServer serves o at cfg's address until ctx ends, then drains. It prints one line to stdout once it accepts connections. The
// library is at /live/, health at /health and /ready, page at all other paths.
func runServer(ctx context.Context, cfg *config.Config, o earshot.Options, page http.Handler, stdout io.Writer) error {
	secure, err := tlsConfig(cfg.TLS)
	if err != nil {
		return err
	}
	ln, err := listen(ctx, cfg.Addr)
	if err != nil {
		return err
	}
	server, err := earshot.New(o)
	if err != nil {
		ln.Close()
		return err
	}
	limitMemory()
	addThreads()
	quiet, stop := context.WithCancel(ctx)
	var collecting sync.WaitGroup
	defer collecting.Wait()
	defer stop()
	collecting.Go(func() { collectWhenQuiet(quiet) })

	g := newGate(cfg.ConnectRate, secure != nil)
	web := newHTTP(routes(g.admit(server), server, page))
	web.ConnContext, web.TLSConfig = g.mark, secure
	return serveHTTP(ctx, ln, web, server, stdout)
}

// tlsConfig is t as a listener takes it; nil without a certificate.
func tlsConfig(t config.TLS) (*tls.Config, error) {
	if t.CertificateFile == "" {
		return nil, nil
	}
	c, err := loadCertificate(t.CertificateFile, t.KeyFile)
	if err != nil {
		return nil, err
	}
	return c.config(), nil
}

// signpost is the page of a server without one.
func signpost(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintln(w, "This is Earshot. Clients connect to /live/websocket.")
}

// options is cfg as the library takes it.
func options(cfg *config.Config) earshot.Options {
	o := earshot.Options{
		Engine:         cfg.Engine,
		Namespaces:     make(map[string]earshot.Namespace, len(cfg.Namespaces)),
		AllowedOrigins: cfg.AllowedOrigins,
		PingInterval:   cfg.PingInterval,
		CloseNotice:    cfg.CloseNotice,
		Compression:    cfg.Compression,
	}
	if cfg.Engine == "" {
		o.Data = cfg.Data
	}
	for name, ns := range cfg.Namespaces {
		o.Namespaces[name] = namespace(ns)
	}
	o.Tokens, o.AllowAnonymous = cfg.Tokens.Verified(), cfg.AllowAnonymous
	if len(o.Tokens) == 0 && !cfg.AllowAnonymous {
		o.OnConnect = refuseAnonymous
	}
	return o
}

func namespace(ns config.Namespace) earshot.Namespace {
	var owners []earshot.Pattern
	for _, p := range ns.Owners {
		owners = append(owners, earshot.Pattern(p))
	}
	return earshot.Namespace{
		Owners:      owners,
		Kind:        kinds[ns.Kind],
		History:     earshot.History{Size: ns.History.Size, Bytes: int64(ns.History.Bytes), Age: ns.History.Age},
		Durability:  durabilities[ns.Durability],
		Subscribe:   access[ns.Subscribe],
		Publish:     access[ns.Publish],
		ReadHistory: access[ns.ReadHistory],
		Presence:    access[ns.Presence],
		ReadCursors: access[ns.ReadCursors],
		MaxKeys:     ns.MaxKeys,
		MaxValue:    int(ns.MaxValue),
	}
}

// What the configuration's words are in the library.
var (
	kinds = [...]earshot.Kind{
		config.KindPub: earshot.Pub, config.KindLog: earshot.Log, config.KindMap: earshot.Map, config.KindInbox: earshot.Inbox,
	}
	durabilities = [...]earshot.Durability{config.Fsync: earshot.Fsync, config.MayLoseTail: earshot.MayLoseTail}
	access       = [...]earshot.Access{
		config.Nobody: earshot.Nobody, config.Users: earshot.Users, config.Anyone: earshot.Anyone, config.Owners: earshot.Owners,
	}
)

// refuseAnonymous refuses every client: no issuer of tokens is configured, so none can say who it is.
func refuseAnonymous(context.Context, earshot.ConnectRequest) (earshot.Identity, error) {
	return earshot.Identity{}, earshot.Unauthorized("this server takes no anonymous clients")
}
