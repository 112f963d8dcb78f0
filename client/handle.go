package client

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/earshot/earshot/wire"
)

// Call is a call that this client is to answer.
type Call struct {
	From   string // the public id of the session that calls; empty: the server
	User   string // its identity; empty for an anonymous client
	Method string
	Data   Data // must not be modified
}

// Handler answers a call. Its context ends when nobody waits for the answer any more: with the caller's patience, with the
// connection, or with the client, whose Close waits for it. The caller gets the error of Reject with its reason, and of any
// other error nothing but that the call failed.
type Handler func(ctx context.Context, call Call) (Data, error)

// Reject returns an error for a Handler that reaches the caller with the reason.
func Reject(reason string) error { return &Error{Code: wire.CodeRejected, Reason: reason} }

// Handle has h answer the calls of a method, in place of an earlier handler; nil: nobody does. Calls are answered
// concurrently, at most Options.MaxCalls at a time; one more fails.
func (c *Client) Handle(method string, h Handler) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h == nil {
		delete(c.handlers, method)
		return
	}
	c.handlers[method] = h
}

// invokeLocked has a call answered.
func (c *Client) invokeLocked(l *link, id uint64, in wire.Invocation) {
	h := c.handlers[in.Method]
	switch {
	case h == nil:
		c.failLocked(l, id, "this client answers no such calls")
		return
	case c.handling >= c.opts.MaxCalls:
		c.failLocked(l, id, "this client has as many calls to answer as it can")
		return
	}
	c.handling++
	c.running.Go(func() { c.invoke(l, id, in, h) })
}

func (c *Client) invoke(l *link, id uint64, in wire.Invocation, h Handler) {
	ctx, cancel := context.WithCancel(l.ctx)
	if in.Timeout > 0 {
		ctx, cancel = context.WithTimeout(l.ctx, in.Timeout)
	}
	defer cancel()
	data, err := h(ctx, Call{From: in.From, User: in.User, Method: in.Method, Data: in.Data})
	if err == nil {
		err = checkResult(data)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handling--
	if err != nil && ctx.Err() != nil {
		return // the caller's time is over, and "the call failed" would only race with the news of that
	}
	if err != nil {
		c.log.Info("call failed", "method", in.Method, "err", err)
		c.failLocked(l, id, reasonOf(err))
		return
	}
	l.sendLocked(wire.ClientFrame{ID: id, Body: wire.Result{Data: data}})
}

func checkResult(data Data) error {
	if err := wire.ValidateMessage(Message{Data: data}); err != nil {
		return err
	}
	_, err := measure(wire.Result{Data: data})
	return err
}

func (c *Client) failLocked(l *link, id uint64, reason string) {
	l.sendLocked(wire.ClientFrame{ID: id, Body: wire.Result{Error: reason}})
}

// reasonOf is what a caller may read of a handler's error: at most as much as the protocol allows.
func reasonOf(err error) string {
	var e *Error
	if !errors.As(err, &e) || e.Reason == "" {
		return "the call failed"
	}
	reason := strings.ToValidUTF8(e.Reason, "")
	for len(reason) > wire.MaxReasonBytes {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-size]
	}
	return reason
}
