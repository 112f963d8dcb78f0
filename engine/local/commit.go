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
	spare  []*draft // of earlier batches, to be used again
	used   usedKeys
	body   []byte // of the proposal that is being added
	value  []byte // an entry, before the batch copies it
	// unchecked is how many bytes were written since the free room was looked at.
	unchecked int
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
	c.putBack()
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
	c.used.reset()
	defer c.batch.Close()
	now := c.engine.nowMS()
	for i := range batch {
		if err := c.add(&batch[i], now); err != nil {
			batch[i].err = err
		}
	}
	if err := c.used.write(c.batch); err != nil {
		return unavailable("keep idempotency ids", err)
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
	c.putBack()
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
	segment, err := c.engine.keys.place(p.key, now, keyWindow(p.rules))
	if err != nil {
		return err
	}
	c.used.add(segment, p.key, keyRecord{digest: p.digest, unixMS: now, position: p.receipt.Position})
	return nil
}

// repeated answers a proposal whose key was used before.
func (c *committer) repeated(p *proposal, now int64) (bool, error) {
	r, found := c.used.find(p.key)
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

// bodyOf returns the proposal's body, until the next call.
func (c *committer) bodyOf(p *proposal) []byte {
	c.body = p.appendBody(c.body[:0])
	return c.body
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
