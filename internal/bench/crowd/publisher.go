//go:build linux

package crowd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// publisherTimeout bounds the handshake of a publisher, and each of its writes.
const publisherTimeout = 10 * time.Second

// Publisher is a connection that publishes to one channel. Its methods but Close are for one goroutine.
type Publisher struct {
	conn          net.Conn
	dialect       Dialect
	before, after string // of the data, in a frame
	frame         []byte
	seq           uint64
	reading       sync.WaitGroup
	welcome       chan struct{} // closed when hello is answered, or nothing is to be waited for
	welcomed      bool          // owned by the reading goroutine, once it runs

	mu      sync.Mutex
	failure error // guarded by mu
}

// NewPublisher connects to the server at url. The caller closes it.
func NewPublisher(ctx context.Context, url string, d Dialect, channel string) (*Publisher, error) {
	e, err := parseEndpoint(url)
	if err != nil {
		return nil, err
	}
	if d.PublishPath != "" {
		e.path = d.PublishPath
	}
	ctx, cancel := context.WithTimeout(ctx, publisherTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.addr)
	if err != nil {
		return nil, fmt.Errorf("connect a publisher: %w", err)
	}
	if e.secure {
		conn = tls.Client(conn, tlsConfig())
	}
	p := &Publisher{conn: conn, dialect: d, welcome: make(chan struct{})}
	p.before, p.after, _ = strings.Cut(string(fill(d.Publish, channel, "")), "{data}")
	rest, err := p.shake(e, channel)
	if err != nil {
		_ = conn.Close() // the error that matters is that of the handshake
		return nil, fmt.Errorf("connect a publisher: %w", err)
	}
	p.greeted(d.Welcome == "")
	p.reading.Go(func() { p.read(rest) })
	select {
	case <-p.welcome:
		return p, nil
	case <-ctx.Done():
		p.Close()
		return nil, fmt.Errorf("connect a publisher: hello was not answered: %w", errors.Join(p.Failure(), ctx.Err()))
	}
}

// greeted notes the answer to hello.
func (p *Publisher) greeted(answered bool) {
	if answered && !p.welcomed {
		p.welcomed = true
		close(p.welcome)
	}
}

// shake does the handshake and says hello. It returns what follows the server's answer.
func (p *Publisher) shake(e endpoint, channel string) ([]byte, error) {
	if err := p.conn.SetDeadline(time.Now().Add(publisherTimeout)); err != nil {
		return nil, err
	}
	if _, err := p.conn.Write(e.request(p.dialect.Subprotocol, channel)); err != nil {
		return nil, err
	}
	var data []byte
	for buf := make([]byte, maxHandshakeBytes); ; {
		n, err := p.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		data = append(data, buf[:n]...)
		rest, ok, err := accepted(data)
		if err != nil {
			return nil, err
		}
		if ok {
			return rest, errors.Join(p.hello(), p.conn.SetDeadline(time.Time{}))
		}
	}
}

func (p *Publisher) hello() error {
	for _, text := range p.dialect.Hello {
		if _, err := p.conn.Write(appendFrame(nil, opText, fill(text, "", ""))); err != nil {
			return err
		}
	}
	return nil
}

// Publish publishes data of size bytes with a mark.
func (p *Publisher) Publish(size int) error {
	if err := p.Failure(); err != nil {
		return err
	}
	p.seq++
	payload := append([]byte(p.before), Data(size, Stamp(), p.seq)...)
	p.frame = appendFrame(p.frame[:0], opText, append(payload, p.after...))
	if err := p.conn.SetWriteDeadline(time.Now().Add(publisherTimeout)); err != nil {
		return err
	}
	if _, err := p.conn.Write(p.frame); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// Failure returns why the publisher can't publish, or nil.
func (p *Publisher) Failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

// Close ends the connection and waits. It is idempotent.
func (p *Publisher) Close() {
	_ = p.conn.Close() // whatever was published was counted
	p.reading.Wait()
}

// read takes what the server says, until the connection ends.
func (p *Publisher) read(data []byte) {
	buf := make([]byte, 64<<10)
	for {
		rest, err := eachFrame(data, p.take)
		if err == nil {
			var n int
			n, err = p.conn.Read(buf)
			data = append(append([]byte(nil), rest...), buf[:n]...)
		}
		if err != nil {
			p.fail(err)
			return
		}
	}
}

func (p *Publisher) take(op byte, payload []byte) error {
	p.greeted(strings.Contains(string(payload), p.dialect.Welcome))
	answer, owed := p.dialect.Answers[string(payload)]
	var err error
	switch {
	case op == opPing:
		_, err = p.conn.Write(appendFrame(nil, opPong, payload))
	case op == opClose:
		return fmt.Errorf("the server closed: %q", payload[min(2, len(payload)):])
	case owed:
		_, err = p.conn.Write(appendFrame(nil, opText, []byte(answer)))
	case p.dialect.Failed != "" && strings.Contains(string(payload), p.dialect.Failed):
		return fmt.Errorf("the server said %.200q", payload)
	}
	return err
}

func (p *Publisher) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = fmt.Errorf("publisher: %w", err)
	}
}
