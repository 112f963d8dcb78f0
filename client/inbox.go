package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"

	"github.com/earshot/earshot/wire"
)

const (
	// inboxNamespace is the namespace of inboxes where InboxOptions names none.
	inboxNamespace = "inbox"
	// recipientTag names the recipient in the sender's own copy of a message.
	recipientTag = "to"
	// copySuffix makes the idempotency id of the copy from that of the message.
	copySuffix = ".copy"
)

// Inbox is a user's own inbox, and the way into those of others.
type Inbox struct {
	c         *Client
	user      string
	namespace string
}

// InboxOptions say which inboxes are meant.
type InboxOptions struct {
	Namespace string // empty: inbox
}

// Inbox returns the inbox of user, who must be the one that the server knows this client as. It asks the server for nothing.
func (c *Client) Inbox(user string, opts InboxOptions) *Inbox {
	return &Inbox{c, user, cmp.Or(opts.Namespace, inboxNamespace)}
}

// Channel returns the name of the user's own inbox, which is a log.
func (b *Inbox) Channel() string { return b.of(b.user) }

func (b *Inbox) of(user string) string { return b.namespace + ":" + user }

// Subscribe asks for what comes into the inbox, as Client.Subscribe does.
func (b *Inbox) Subscribe(ctx context.Context, opts SubscribeOptions) (*Subscription, error) {
	return b.c.Subscribe(ctx, b.Channel(), opts)
}

// Cursor returns how far the user has read the inbox.
func (b *Inbox) Cursor() *ReadCursor { return b.c.ReadCursor(b.Channel(), b.user) }

// Send publishes a message into the inbox of a user, and then a copy of it into that of the sender, so that all devices of
// both have it. The copy names the recipient in the tag "to". It returns the answer to the first once both are committed;
// each is repeated as Publish is. If it fails in between, the same Send with the same Idem, within 5 minutes, makes up for it and
// repeats nothing.
func (b *Inbox) Send(ctx context.Context, to string, m Message, opts PublishOptions) (Published, error) {
	idem := cmp.Or(opts.Idem, rand.Text())
	kept := copyFor(to, m)
	if to == b.user {
		return b.c.Publish(ctx, b.Channel(), kept, PublishOptions{Idem: idem})
	}
	// What is wrong with the copy must be known before the message is out.
	if _, err := measure(wire.Publish{Channel: b.Channel(), Idem: idem + copySuffix, Message: kept}); err != nil {
		return Published{}, fmt.Errorf("send to %q: %w", to, err)
	}
	published, err := b.c.Publish(ctx, b.of(to), m, PublishOptions{Idem: idem})
	if err != nil {
		return Published{}, err
	}
	if _, err := b.c.Publish(ctx, b.Channel(), kept, PublishOptions{Idem: idem + copySuffix}); err != nil {
		return published, fmt.Errorf("keep a copy of what was sent: %w", err)
	}
	return published, nil
}

// copyFor returns m as the sender keeps it.
func copyFor(to string, m Message) Message {
	tags := maps.Clone(m.Tags)
	if tags == nil {
		tags = make(map[string]string, 1)
	}
	tags[recipientTag] = to
	m.Tags = tags
	return m
}

// Peer says between whom a publication of the inbox is: the user at the other end, and whether this user sent it, from
// whichever device. The server says who published, so nobody can send in another's name.
func (b *Inbox) Peer(p Publication) (user string, mine bool) {
	if p.User != b.user {
		return p.User, false
	}
	return cmp.Or(p.Tags[recipientTag], b.user), true
}
