package local

import (
	"encoding/binary"

	"github.com/earshot/earshot/engine"
)

// mapEntry is the latest entry of a key: where it is, and its header. Offset zero: there is none.
type mapEntry struct {
	offset uint64
	mapHeader
}

// version returns the version of the key for a publisher: zero if the key is absent.
func (m *mapEntry) version(now int64, run uint64) uint64 {
	if m.gone || m.expired(now, run) {
		return 0
	}
	return m.offset
}

// change adds a change of a map to the draft and to the batch.
func (d *draft) change(c *committer, p *proposal, now int64) error {
	if err := d.record(c); err != nil {
		return unavailable("create channel", err)
	}
	old, err := d.latest(c, p.change.Key)
	if err != nil {
		return unavailable("read key", err)
	}
	if p.tends != 0 {
		return d.tend(c, p, old, now)
	}
	version := old.version(now, c.engine.store.run)
	if idle, err := d.admit(p, old, version); idle || err != nil {
		p.receipt.Position = d.state.position()
		return err
	}
	return d.write(c, p, old, now)
}

// admit decides whether the change may be made: idle says that there is nothing to do.
func (d *draft) admit(p *proposal, old mapEntry, version uint64) (idle bool, err error) {
	want := p.change.IfVersion
	limit := p.rules.MaxKeys
	if limit <= 0 {
		limit = engine.DefaultMaxKeys
	}
	switch {
	case want != nil && *want != version:
		return false, engine.ErrVersionMismatch
	case p.change.Delete && (version == 0 || p.change.IfOwner != "" && p.change.IfOwner != old.owner):
		return true, nil
	case !p.change.Delete && version == 0 && d.state.keys >= limit:
		return false, engine.ErrTooManyKeys
	}
	return false, nil
}

// tend does what is due of one entry that upkeep has found: a key that expired is deleted, a tombstone that is old enough
// is dropped. It does nothing if the key has changed since.
func (d *draft) tend(c *committer, p *proposal, old mapEntry, now int64) error {
	switch {
	case old.offset != p.tends:
		return nil
	case old.gone && old.offset < d.state.top:
		return d.dropTombstone(c, p.change.Key, old.offset)
	case !old.gone && old.expired(now, c.engine.store.run):
		return d.write(c, p, old, now)
	}
	return nil
}

// latest returns the key's latest entry, as the batch will leave it.
func (d *draft) latest(c *committer, key string) (mapEntry, error) {
	if m, ok := d.changed[key]; ok {
		return m, nil
	}
	v, found, err := c.engine.store.get(mapKey(d.state.record.id, key))
	if !found || err != nil || len(v) != 8 {
		return mapEntry{}, err
	}
	offset := binary.BigEndian.Uint64(v)
	v, found, err = c.engine.store.get(entryKey(d.state.record.id, offset))
	if !found || err != nil {
		return mapEntry{}, err
	}
	_, m, err := decodeMapEntry(engine.Position{Offset: offset}, v)
	return mapEntry{offset, m}, err
}

// setLatest notes what latest will return.
func (d *draft) setLatest(key string, m mapEntry) {
	if d.changed == nil {
		d.changed = make(map[string]mapEntry)
	}
	d.changed[key] = m
}

// write commits a change of the key whose latest entry was old.
func (d *draft) write(c *committer, p *proposal, old mapEntry, now int64) error {
	s := &d.state
	p.pub.UnixMS = max(now, s.unixMS)
	p.pub.PrevTag, p.pub.Tag = s.tag, chainTag(s.tag, p.pub.UnixMS, c.bodyOf(p))
	p.pub.Epoch, p.pub.Offset = s.record.epoch, s.top+1
	p.pub.Key, p.pub.Gone = p.change.Key, p.change.Delete
	if p.pub.Gone {
		p.pub.Message.Data.Body = nil
	}
	s.top, s.tag, s.unixMS = p.pub.Offset, p.pub.Tag, p.pub.UnixMS
	s.keys += countOf(!p.change.Delete) - countOf(old.offset != 0 && !old.gone)
	d.pubs = append(d.pubs, p.pub)

	m := mapHeader{keys: s.keys, gone: p.change.Delete, owner: p.change.Owner}
	if m.owner != "" {
		m.run = c.engine.store.run
	}
	if p.change.TTL > 0 {
		m.expiresMS = now + p.change.TTL.Milliseconds()
	}
	d.setLatest(p.change.Key, mapEntry{s.top, m})
	return d.store(c, p, old, m)
}

func countOf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// store puts the entry and what finds it into the batch, and deletes the entry before it.
func (d *draft) store(c *committer, p *proposal, old mapEntry, m mapHeader) error {
	id, offset := d.state.record.id, p.pub.Offset
	name := []byte(d.ch.name)
	h := header{prevTag: p.pub.PrevTag, tag: p.pub.Tag, unixMS: p.pub.UnixMS}
	c.value = appendMapEntry(c.value[:0], h, m, p.pub, appendBody(nil, p.pub))
	sets := []struct {
		key, value []byte
		wanted     bool
	}{
		{entryKey(id, offset), c.value, true},
		{mapKey(id, p.pub.Key), binary.BigEndian.AppendUint64(nil, offset), true},
		{tombstoneKey(id, offset), nil, m.gone},
		{expiryKey(m.expiresMS, id, offset), name, m.expiresMS != 0},
		{ownedKey(id, offset), name, m.owner != ""},
	}
	for _, one := range sets {
		if one.wanted {
			if err := c.batch.Set(one.key, one.value, nil); err != nil {
				return err
			}
		}
	}
	return d.supersede(c, old)
}

// supersede deletes the entry that is no longer a key's latest, with what finds it.
func (d *draft) supersede(c *committer, old mapEntry) error {
	if old.offset == 0 {
		return nil
	}
	id := d.state.record.id
	keys := [][]byte{entryKey(id, old.offset)}
	if old.gone {
		keys = append(keys, tombstoneKey(id, old.offset))
	}
	if old.expiresMS != 0 {
		keys = append(keys, expiryKey(old.expiresMS, id, old.offset))
	}
	if old.owner != "" {
		keys = append(keys, ownedKey(id, old.offset))
	}
	return c.deleteAll(keys...)
}

func (c *committer) deleteAll(keys ...[]byte) error {
	for _, key := range keys {
		if err := c.batch.Delete(key, nil); err != nil {
			return err
		}
	}
	return nil
}

// raiseLost makes positions before offset such that cannot be continued. It comes before the batch that drops the tombstone:
// a reader's iterator may see the batch before it is committed, and must not take what is missing for all there is.
func (c *channel) raiseLost(offset uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log.lost = max(c.log.lost, offset)
}

// dropTombstone forgets that there ever was such a key. Positions before it can no longer be continued.
func (d *draft) dropTombstone(c *committer, key string, offset uint64) error {
	id := d.state.record.id
	d.state.lost = max(d.state.lost, offset)
	d.ch.raiseLost(d.state.lost)
	d.setLatest(key, mapEntry{})
	floor := floorRecord{first: d.state.lost + 1, top: d.state.top, tag: d.state.tag, unixMS: d.state.unixMS}
	if err := c.batch.Set(floorKey(id), floor.encode(), nil); err != nil {
		return err
	}
	return c.deleteAll(entryKey(id, offset), tombstoneKey(id, offset), mapKey(id, key))
}
