package local

import (
	"sort"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// mark is what retention needs to know of one publication.
type mark struct {
	unixMS int64
	bytes  int64 // sum of the sizes of all publications before it
}

// marks are those of consecutive publications from an offset on: the oldest of a log, read ahead, so that dropping one
// publication at a time does not read the store each time. The slice is never overwritten.
type marks struct {
	from uint64
	list []mark
}

// marksAhead is how many are read at once.
const marksAhead = 256

// at returns the mark at offset and forgets those before it.
func (m *marks) at(offset uint64) (mark, bool) {
	if offset < m.from || offset-m.from >= uint64(len(m.list)) {
		return mark{}, false
	}
	m.list, m.from = m.list[offset-m.from:], offset
	return m.list[0], true
}

// retain moves first as the rules for count and bytes want it. The newest publication stays.
func (d *draft) retain(s *store, rules engine.Rules) error {
	if n := uint64(max(0, rules.MaxPublications)); n > 0 && d.state.top-d.state.first >= n {
		d.state.first = d.state.top - n + 1
	}
	if rules.MaxBytes <= 0 {
		return nil
	}
	for d.state.first < d.state.top {
		m, err := d.markAt(s, d.state.first)
		if err != nil || d.state.bytes-m.bytes <= rules.MaxBytes {
			return err
		}
		d.state.first++
	}
	return nil
}

func (d *draft) markAt(s *store, offset uint64) (mark, error) {
	committed := d.state.top - uint64(len(d.pubs))
	if offset > committed {
		return d.added[offset-committed-1], nil
	}
	if m, ok := d.marks.at(offset); ok {
		return m, nil
	}
	var err error
	d.marks, err = s.readMarks(d.state.record.id, offset, committed)
	m, ok := d.marks.at(offset)
	if err == nil && !ok {
		err = errCorrupt
	}
	return m, err
}

// readMarks reads the marks from an offset on, some ahead but none after top.
func (s *store) readMarks(id, from, top uint64) (marks, error) {
	it, err := s.entries(id, from)
	if err != nil {
		return marks{}, err
	}
	defer it.Close()
	m := marks{from: from}
	for ok := it.First(); ok && len(m.list) < marksAhead; ok = it.Next() {
		if entryOffset(it.Key()) != from+uint64(len(m.list)) || entryOffset(it.Key()) > top {
			break
		}
		next, err := markOf(it)
		if err != nil {
			return marks{}, err
		}
		m.list = append(m.list, next)
	}
	return m, it.Error()
}

func markOf(it *pebble.Iterator) (mark, error) {
	v, err := it.ValueAndErr()
	if err != nil {
		return mark{}, err
	}
	h, err := decodeHeader(v)
	return mark{unixMS: h.unixMS, bytes: h.bytes}, err
}

// expire drops what is older than the rules allow, logically: readers do not see it from now on, and a later purge
// makes it last.
func (e *Engine) expire(ch *channel, rules engine.Rules) error {
	if rules.MaxAge <= 0 {
		return nil
	}
	oldest := e.nowMS() - rules.MaxAge.Milliseconds()
	state, done := ch.expireKnown(oldest)
	if done {
		return nil
	}
	ahead, err := e.store.readMarks(state.record.id, state.first, state.top)
	if err != nil {
		return err
	}
	n := sort.Search(len(ahead.list), func(i int) bool { return ahead.list[i].unixMS >= oldest })
	if first := state.first + uint64(n); n < len(ahead.list) {
		ch.adoptMarks(first, marks{from: first, list: ahead.list[n:]})
		return nil
	}
	first, err := e.store.firstSince(state, oldest)
	if err == nil {
		ch.raiseFirst(first)
	}
	return err
}

// expireKnown does what it can without reading the store: done reports whether that was all.
func (c *channel) expireKnown(oldest int64) (state logState, done bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log.unixMS < oldest {
		c.raiseFirstLocked(c.log.top + 1)
	}
	if c.log.first > c.log.top {
		return c.log, true
	}
	if len(c.ring.pubs) > 0 && c.ring.pubs[0].Offset == c.log.first {
		c.expireRingLocked(oldest)
		return c.log, true
	}
	m, ok := c.marks.at(c.log.first)
	return c.log, ok && m.unixMS >= oldest
}

// expireRingLocked is for a log that is in the ring as a whole.
func (c *channel) expireRingLocked(oldest int64) {
	for c.ring.pubs[0].UnixMS < oldest { // the newest is not, so this ends
		c.raiseFirstLocked(c.log.first + 1)
	}
}

func (c *channel) adoptMarks(first uint64, m marks) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raiseFirstLocked(first)
	c.marks = m
}

// firstSince searches the log for the first entry that is not older, by halves: the times of a log never go back.
func (s *store) firstSince(state logState, oldest int64) (uint64, error) {
	it, err := s.entries(state.record.id, state.first)
	if err != nil {
		return 0, err
	}
	defer it.Close()
	n := sort.Search(int(state.top-state.first), func(i int) bool {
		if err != nil || !it.SeekGE(entryKey(state.record.id, state.first+uint64(i))) {
			return true
		}
		var m mark
		m, err = markOf(it)
		return m.unixMS >= oldest
	})
	if err == nil {
		err = it.Error()
	}
	return state.first + uint64(n), err
}
