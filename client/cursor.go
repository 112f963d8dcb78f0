package client

import (
	"context"
	"fmt"
	"iter"

	"github.com/earshot/earshot/wire"
)

// Place is a place in a log: that of a publication.
type Place = wire.ReadCursor

// Place returns where in its log the publication is.
func (p Publication) Place() Place { return Place{Offset: p.Offset, Position: p.Position} }

// ReadCursor is how far a user has read a log or an inbox. The server keeps it, and lets it only go up.
type ReadCursor struct {
	m    *Map
	user string
}

// ReadCursor returns the read cursor of user, who must be the one that the server knows this client as, in a channel whose
// namespace has read cursors. It asks the server for nothing.
func (c *Client) ReadCursor(channel, user string) *ReadCursor {
	return &ReadCursor{c.Map(wire.ReadMap(channel)), user}
}

// Move says that everything up to a place was read, and returns once that is committed, or once it is known that another
// device of the user said so, or is further. It is repeated as Publish is, and returns its errors; a place that is not one of
// the log as it is now is an *Error of CodeBadPosition.
func (r *ReadCursor) Move(ctx context.Context, to Place) error {
	_, err := r.m.Set(ctx, r.user, to.Data(), SetOptions{})
	return err
}

// Get reads where the cursor is; false if the user never moved one. It reads the cursors of all users: to stay informed,
// use Watch.
func (r *ReadCursor) Get(ctx context.Context) (Place, bool, error) {
	keys, err := r.m.Read(ctx)
	if err != nil {
		return Place{}, false, fmt.Errorf("get a read cursor: %w", err)
	}
	held, ok := keys[r.user]
	if !ok {
		return Place{}, false, nil
	}
	at, err := wire.ParseReadCursor(held.Data)
	if err != nil {
		return Place{}, false, fmt.Errorf("get a read cursor: %w", err)
	}
	return at, true, nil
}

// CursorMove says how far a user has read; nothing, if Place is zero.
type CursorMove struct {
	User string
	Place
}

// CursorWatch tells how far the users of a channel have read, on whichever device.
type CursorWatch struct{ watch *Watch }

// Watch asks for the read cursors of the channel and returns once the server delivers. Afterwards ctx has no effect. Errors
// are those of Map.Watch.
func (r *ReadCursor) Watch(ctx context.Context, opts WatchOptions) (*CursorWatch, error) {
	w, err := r.m.Watch(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &CursorWatch{w}, nil
}

// Next waits for the next move: first those that make up where everybody is, then what changes. Of one user the latest comes,
// and those before it may be left out. After a log began anew, users have the places of the old one until they move. Errors are
// those of Watch.Next.
func (w *CursorWatch) Next(ctx context.Context) (CursorMove, error) {
	for {
		ev, err := w.watch.Next(ctx)
		if err != nil {
			return CursorMove{}, err
		}
		if c, ok := ev.(Change); ok {
			return CursorMove{c.Key, placeOf(c)}, nil
		}
	}
}

// Events returns the stream as a sequence that ends with the first error.
func (w *CursorWatch) Events(ctx context.Context) iter.Seq2[CursorMove, error] {
	return func(yield func(CursorMove, error) bool) {
		for {
			m, err := w.Next(ctx)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Place returns how far a user has read, as far as has arrived: Next may not have told it yet. False: nothing.
func (w *CursorWatch) Place(user string) (Place, bool) {
	c, ok := w.watch.Get(user)
	if !ok {
		return Place{}, false
	}
	at := placeOf(c)
	return at, at != Place{}
}

// Synced reports whether the cursors of all users have arrived.
func (w *CursorWatch) Synced() bool { return w.watch.Synced() }

// Close ends the watch: Next returns ErrClosed. It is idempotent.
func (w *CursorWatch) Close() { w.watch.Close() }

// placeOf returns the place that a key holds; zero if it is gone, or holds something else, as a server may have made it.
func placeOf(c Change) Place {
	at, err := wire.ParseReadCursor(c.Data)
	if err != nil {
		return Place{}
	}
	return at
}
