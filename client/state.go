package client

// Phase is what a client is doing.
type Phase uint8

// The phases. A client goes between connecting and open until it is closed for good.
const (
	PhaseConnecting Phase = iota // connecting, or waiting to try again
	PhaseOpen                    // in a session
	PhaseClosed                  // ended: by Close, or for the reason in State.Err
)

// String returns the phase's name.
func (p Phase) String() string {
	return [...]string{"connecting", "open", "closed"}[p]
}

// State says how a client is.
type State struct {
	Phase Phase
	// Attempt counts the tries since the last connection that lasted; 0 in the first.
	Attempt int
	// Session is the server's public id of the session, and User the identity that it gave. Of a client that is not
	// open, those of the last session.
	Session, User string
	// Resumed says of an open client that the session is that of an earlier connection.
	Resumed bool
	// Err is why the last connection or try failed, and, once closed, why the client ended: ErrClosed or an *Error.
	Err error
}

// State returns how the client is now.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Session returns the server's public id of the session, or "" before the first.
func (c *Client) Session() string { return c.State().Session }

// changeState lets change edit the state and tells the application. Only run's goroutine calls it.
func (c *Client) changeState(change func(*State)) {
	c.mu.Lock()
	change(&c.state)
	s := c.state
	c.mu.Unlock()
	if c.opts.OnState != nil {
		c.opts.OnState(s)
	}
}
