package local

import "github.com/earshot/earshot/engine"

// draft is what a channel will be once the batch is committed.
type draft struct {
	ch    *channel
	state logState
	marks marks
	added []mark // of pubs
	pubs  []*engine.Publication
	// changed are the keys of a map that the batch changes; nil: none yet.
	changed map[string]mapEntry
	feed    bool // the node listened when pubs became visible
}

// draftOf returns the channel's draft in this batch.
func (c *committer) draftOf(ch *channel, kind engine.Kind) (*draft, error) {
	if ch.draft != nil {
		return ch.draft, nil
	}
	if err := ch.load(c.engine.store, kind, c.loose()); err != nil {
		return nil, unavailable("load channel", err)
	}
	d := c.newDraft()
	d.ch = ch
	ch.mu.Lock()
	d.state, d.marks = ch.log, ch.marks
	ch.mu.Unlock()
	ch.draft = d
	c.drafts = append(c.drafts, d)
	return d, nil
}

// keptDrafts is how many drafts are kept between batches.
const keptDrafts = 256

// putBack ends the use of the batch's drafts. Their slices of publications are the feed's from now on.
func (c *committer) putBack() {
	for _, d := range c.drafts {
		if len(c.spare) < keptDrafts {
			*d = draft{added: d.added[:0]}
			c.spare = append(c.spare, d)
		}
	}
	clear(c.drafts)
	c.drafts = c.drafts[:0]
}

// newDraft returns an empty one.
func (c *committer) newDraft() *draft {
	n := len(c.spare)
	if n == 0 {
		return new(draft)
	}
	d := c.spare[n-1]
	c.spare = c.spare[:n-1]
	return d
}

// append adds a publication to the draft and to the batch.
func (d *draft) append(c *committer, p *proposal, now int64) error {
	if err := d.record(c); err != nil {
		return unavailable("create channel", err)
	}
	s := &d.state
	p.pub.UnixMS = max(now, s.unixMS) // times of a log never go back, whatever the clock does
	p.pub.PrevTag = s.tag
	body := c.bodyOf(p)
	p.pub.Tag = chainTag(s.tag, p.pub.UnixMS, body)
	p.pub.Epoch, p.pub.Offset = s.record.epoch, s.top+1
	m := mark{unixMS: p.pub.UnixMS, bytes: s.bytes}
	s.top, s.tag, s.unixMS, s.bytes = p.pub.Offset, p.pub.Tag, p.pub.UnixMS, s.bytes+int64(p.pub.Size())
	d.pubs, d.added = append(d.pubs, p.pub), append(d.added, m)
	if err := d.retain(c.engine.store, p.rules); err != nil {
		c.engine.log.Error("cannot apply retention", "channel", d.ch.name, "error", err)
	}
	h := header{retained: s.top - s.first, bytes: m.bytes, prevTag: p.pub.PrevTag, tag: p.pub.Tag, unixMS: m.unixMS}
	var key [entryKeyBytes]byte
	c.value = appendEntry(c.value[:0], h, p.pub.Sender, body)
	return c.batch.Set(appendEntryKey(key[:0], s.record.id, p.pub.Offset), c.value, nil)
}

// record makes sure that the store knows the channel as this lane writes it.
func (d *draft) record(c *committer) error {
	r := &d.state.record
	if r.id != 0 && r.loose == c.loose() && !d.state.stale {
		return nil
	}
	if r.id == 0 {
		id, err := c.engine.store.newID()
		if err != nil {
			return err
		}
		r.id = id
	} else if c.loose() && !r.loose {
		c.sync = true // the record must not be lost together with the first loose publications
	}
	r.loose, r.generation, d.state.stale = c.loose(), c.engine.store.generation, false
	return c.batch.Set(channelKey(d.ch.name), r.encode(), nil)
}

// show makes the draft the channel's state.
func (d *draft) show(e *Engine) {
	ch := d.ch
	ch.draft = nil
	ch.mu.Lock()
	defer ch.mu.Unlock()
	first := max(ch.log.first, d.state.first) // it may have been trimmed meanwhile
	ch.log = d.state
	ch.log.first = first
	ch.saved = max(ch.saved, d.state.first)
	ch.marks = d.marks
	if d.state.record.kind == engine.KindLog { // of a map, what comes last is not the whole
		ch.ring.add(d.pubs)
		ch.ring.drop(first)
	}
	ch.settleLocked()
	d.feed = ch.subscribed && e.feed != nil && len(d.pubs) > 0
	e.requestPurgeLocked(ch, purgeAt)
}
