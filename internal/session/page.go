package session

import (
	"context"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// ReadPage reads what h asks for. A position that cannot be read is CodeBadPosition.
func ReadPage(ctx context.Context, log engine.Log, h wire.History) (wire.Page, error) {
	q := engine.Query{Limit: h.Limit, MaxBytes: wire.MaxPageBytes}
	if q.Limit == 0 {
		q.Limit = wire.DefaultPageLimit
	}
	var err error
	if q.Since, err = optionalPosition(h.Since); err != nil {
		return wire.Page{}, err
	}
	if q.Before, err = optionalPosition(h.Before); err != nil {
		return wire.Page{}, err
	}
	p, err := log.History(ctx, h.Channel, q)
	if err != nil {
		return wire.Page{}, err
	}
	page := wire.Page{Channel: h.Channel, Position: p.Top.String(), Complete: p.Complete, More: p.More, Keys: p.Keys}
	for _, pub := range p.Publications {
		page.Publications = append(page.Publications, Publication(h.Channel, pub))
	}
	return page, nil
}

// Publication returns p as it goes over the wire.
func Publication(channel string, p *engine.Publication) wire.Publication {
	return wire.Publication{
		Channel: channel, Offset: p.Offset, Position: p.Position.String(), UnixMS: p.UnixMS, User: p.User,
		Key: p.Key, Gone: p.Gone, Message: p.Message,
	}
}

func optionalPosition(text string) (*engine.Position, error) {
	if text == "" {
		return nil, nil
	}
	p, err := engine.ParsePosition(text)
	return &p, err
}
