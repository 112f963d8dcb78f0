package local

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// committer commits the batches of a lane of logs. Only that lane's goroutine uses it.
type committer struct {
	engine     *Engine
	durability engine.Durability
	// Of the batch being made.
	batch  *pebble.Batch
	sync   bool
	drafts []*draft
	fresh  map[keyID]keyRecord // keys used in the batch
	value  []byte              // an entry, before the batch copies it
	// unchecked is how many bytes were written since the free room was looked at.
	unchecked int
}

// draft is what a channel will be once the batch is committed.
type draft struct {
	ch    *channel
	state logState
	marks marks
	added []mark // of pubs
	pubs  []*engine.Publication
	// changed are the keys of a map that the batch changes.
	changed map[string]mapEntry
	feed    bool // the node listened when pubs became visible
}

func (c *committer) loose() bool { return c.durability != engine.DurabilityFsync }

// commit makes one store batch of the proposals, writes it, and only then shows, answers and feeds what it held.
func (c *committer) commit(batch []proposal) {
	if err := c.write(batch); err != nil {
		c.abandon(batch, err)
	} else {
		for _, d := range c.drafts {
			d.show(c.engine)
		}
	}
	for i := range batch {
		batch[i].done(batch[i].answer())
	}
	for _, d := range c.drafts {
		if d.feed {
			c.engine.feed.Committed(d.ch.name, d.pubs)
		}
	}
	c.engine.table.releaseProposals(batch)
	c.drafts = c.drafts[:0]
}

func (p *proposal) answer() (engine.Receipt, error) {
	if p.err != nil {
		return engine.Receipt{}, p.err
	}
	return p.receipt, nil
}

func (c *committer) write(batch []proposal) error {
	if err := c.refusal(); err != nil {
		return err
	}
	c.batch, c.sync = c.engine.store.db.NewBatch(), !c.loose()
	c.fresh = map[keyID]keyRecord{}
	defer c.batch.Close()
	now := c.engine.nowMS()
	for i := range batch {
		if err := c.add(&batch[i], now); err != nil {
			batch[i].err = err
		}
	}
	if c.batch.Empty() {
		return nil
	}
	c.unchecked += c.batch.Len()
	return c.engine.store.apply(c.batch, c.sync)
}

// roomEvery is how many bytes are written before the free room on the disk is looked at again; upkeep does so, too, all
// the time. (Asking before every batch took a tenth of the time of small ones.)
const roomEvery = 1 << 20

// refusal returns the error that the whole batch must be answered with, or nil.
func (c *committer) refusal() error {
	if c.unchecked >= roomEvery {
		c.unchecked = 0
		c.engine.checkRoom()
	}
	return c.engine.store.health.refusal()
}

// abandon answers a batch that may or may not be in the store with err. Its channels stay in memory as they were: what
// the store says of them was never committed.
func (c *committer) abandon(batch []proposal, err error) {
	for i := range batch {
		batch[i].err = err
	}
	for _, d := range c.drafts {
		d.ch.draft = nil
		d.ch.taint()
		d.ch.settle()
	}
	c.drafts = c.drafts[:0]
}

// add puts one proposal into the batch.
func (c *committer) add(p *proposal, now int64) error {
	p.receipt.Durability = c.durability
	d, err := c.draftOf(p.ch, p.rules.Kind)
	if err != nil {
		return err
	}
	if p.keyed {
		if found, err := c.repeated(p, now); found || err != nil {
			return err
		}
	}
	if p.change != nil {
		err = d.change(c, p, now)
	} else {
		err = d.append(c, p, now)
	}
	if err != nil {
		return err
	}
	if p.pub.Offset != 0 {
		p.receipt.Position = p.pub.Position
	}
	if !p.keyed {
		return nil
	}
	r := keyRecord{digest: p.digest, unixMS: now, position: p.receipt.Position}
	c.fresh[p.key] = r
	return c.engine.keys.add(c.batch, p.key, r, keyWindow(p.rules))
}

// repeated answers a proposal whose key was used before.
func (c *committer) repeated(p *proposal, now int64) (bool, error) {
	r, found := c.fresh[p.key]
	if !found {
		var err error
		r, found, err = c.engine.keys.find(p.key, now, keyWindow(p.rules))
		if !found || err != nil {
			return false, unavailable("look up idempotency id", err)
		}
	}
	if r.digest != p.digest {
		return true, engine.ErrIdemReused
	}
	p.receipt.Position, p.receipt.Duplicate = r.position, true
	return true, nil
}

// draftOf returns the channel's draft in this batch.
func (c *committer) draftOf(ch *channel, kind engine.Kind) (*draft, error) {
	if ch.draft != nil {
		return ch.draft, nil
	}
	if err := ch.load(c.engine.store, kind, c.loose()); err != nil {
		return nil, unavailable("load channel", err)
	}
	ch.mu.Lock()
	d := &draft{ch: ch, state: ch.log, marks: ch.marks, changed: map[string]mapEntry{}}
	ch.mu.Unlock()
	ch.draft = d
	c.drafts = append(c.drafts, d)
	return d, nil
}

// append adds a publication to the draft and to the batch.
func (d *draft) append(c *committer, p *proposal, now int64) error {
	if err := d.record(c); err != nil {
		return unavailable("create channel", err)
	}
	s := &d.state
	p.pub.UnixMS = max(now, s.unixMS) // times of a log never go back, whatever the clock does
	p.pub.PrevTag = s.tag
	p.pub.Tag = chainTag(s.tag, p.pub.UnixMS, p.body)
	p.pub.Epoch, p.pub.Offset = s.record.epoch, s.top+1
	m := mark{unixMS: p.pub.UnixMS, bytes: s.bytes}
	s.top, s.tag, s.unixMS, s.bytes = p.pub.Offset, p.pub.Tag, p.pub.UnixMS, s.bytes+int64(p.pub.Size())
	d.pubs, d.added = append(d.pubs, p.pub), append(d.added, m)
	if err := d.retain(c.engine.store, p.rules); err != nil {
		c.engine.log.Error("cannot apply retention", "channel", d.ch.name, "error", err)
	}
	h := header{retained: s.top - s.first, bytes: m.bytes, prevTag: p.pub.PrevTag, tag: p.pub.Tag, unixMS: m.unixMS}
	return c.setEntry(s.record.id, h, p)
}

func (c *committer) setEntry(id uint64, h header, p *proposal) error {
	var key [entryKeyBytes]byte
	c.value = appendEntry(c.value[:0], h, p.pub.Sender, p.body)
	return c.batch.Set(appendEntryKey(key[:0], id, p.pub.Offset), c.value, nil)
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

// taint keeps the channel in memory until the engine is closed.
func (c *channel) taint() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tainted = true
}

// unavailable says that what was being done failed and that the publish can be tried again; nil stays nil.
func unavailable(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s: %w", engine.ErrUnavailable, doing, err)
}
