package local

import (
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/earshot/earshot/engine"
)

// Idempotency ids are kept in segments, each for a span of time, so that forgetting them means dropping a segment.
// A key is looked up in every segment that is left, newest first; a filter in memory tells for nearly every new key
// that it is in none. (Segments from before a restart have no filter until they expire: they are read.)

// keySegments is how many segments one window is spread over; a key lives at most a window and one segment.
const keySegments = 4

// minKeySpan bounds the number of segments for short windows.
const minKeySpan = time.Second

// keyCost is what one key takes on disk or in memory, roughly.
const keyCost = 100

func keyWindow(r engine.Rules) time.Duration {
	if r.IdemWindow > 0 {
		return r.IdemWindow
	}
	return engine.DefaultIdemWindow
}

// segment holds the keys of one span of time that are remembered equally long.
type segment struct {
	number    uint64
	window    time.Duration // zero: from before the start, closed
	closesMS  int64
	expiresMS int64
	bytes     int64
	filter    filter               // on disk; nil: unknown
	records   map[keyID]*keyRecord // in memory
}

// segments is what keys on disk and in memory have in common: which segment takes a key, and when segments are dropped.
type segments struct {
	log       *slog.Logger
	maxBytes  int64
	list      []*segment // in the order of their numbers
	bytes     int64
	last      uint64 // the newest number
	shortened uint64 // segments dropped before their time
}

// open returns the segment that takes a key now, or nil if a new one is needed.
func (s *segments) open(now int64, window time.Duration) *segment {
	for i := len(s.list) - 1; i >= 0; i-- {
		if g := s.list[i]; g.window == window && now < g.closesMS && g.bytes < s.segmentBytes() {
			return g
		}
	}
	return nil
}

// segmentBytes is where a segment is full; one sixteenth of the bound, so that dropping one shortens little.
func (s *segments) segmentBytes() int64 { return max(keyCost, s.maxBytes/16) }

// begin makes a new segment.
func (s *segments) begin(now int64, window time.Duration) *segment {
	s.last++
	closes := now + max(minKeySpan, window/keySegments).Milliseconds()
	g := &segment{number: s.last, window: window, closesMS: closes, expiresMS: closes + window.Milliseconds()}
	s.list = append(s.list, g)
	return g
}

// grow accounts for one key more.
func (s *segments) grow(g *segment) {
	g.bytes += keyCost
	s.bytes += keyCost
}

// drop removes and returns the segments that are past their time, and, while all take more than the bound, the oldest.
func (s *segments) drop(now int64) (dropped []*segment) {
	kept := s.list[:0]
	for i, g := range s.list {
		early := s.bytes > s.maxBytes && i < len(s.list)-1
		if now < g.expiresMS && !early {
			kept = append(kept, g)
			continue
		}
		if now < g.expiresMS {
			s.reportShortened()
		}
		s.bytes -= g.bytes
		dropped = append(dropped, g)
	}
	clear(s.list[len(kept):])
	s.list = kept
	return dropped
}

func (s *segments) reportShortened() {
	s.shortened++
	if s.shortened == 1 {
		s.log.Warn("idempotency ids are forgotten before their window ends: too many for the bound", "bytes", s.maxBytes)
	}
}

// fresh reports whether r is still within its window.
func (r *keyRecord) fresh(now int64, window time.Duration) bool {
	return now-r.unixMS < window.Milliseconds()
}

// storedKeys are the keys of logs, kept in the store. Methods may be called concurrently.
type storedKeys struct {
	store *store
	mu    sync.Mutex
	segments
}

// loadKeys reads which segments there are.
func loadKeys(s *store, maxBytes int64, log *slog.Logger) (*storedKeys, error) {
	k := &storedKeys{store: s, segments: segments{log: log, maxBytes: maxBytes}}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{prefixSegment}, UpperBound: []byte{prefixSegment + 1}})
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		g, err := k.decode(it)
		if err != nil {
			return nil, err
		}
		k.list, k.bytes, k.last = append(k.list, g), k.bytes+g.bytes, g.number
	}
	return k, it.Error()
}

func (k *storedKeys) decode(it *pebble.Iterator) (*segment, error) {
	v, err := it.ValueAndErr()
	if err != nil {
		return nil, err
	}
	r, err := decodeSegmentRecord(v)
	if err != nil {
		return nil, err
	}
	g := &segment{number: segmentNumber(it.Key()), expiresMS: r.expiresMS}
	size, err := k.store.db.EstimateDiskUsage(segmentStart(g.number), segmentStart(g.number+1))
	g.bytes = int64(size)
	return g, err
}

// find returns what was committed under the key within the window.
func (k *storedKeys) find(id keyID, now int64, window time.Duration) (keyRecord, bool, error) {
	for _, number := range k.candidates(id) {
		v, found, err := k.store.get(idempotencyKey(number, id))
		if err != nil {
			return keyRecord{}, false, err
		}
		if !found {
			continue
		}
		r, err := decodeKeyRecord(v)
		if err != nil || r.fresh(now, window) {
			return r, err == nil, err
		}
	}
	return keyRecord{}, false, nil
}

// candidates returns the segments that may hold the key, newest first.
func (k *storedKeys) candidates(id keyID) (numbers []uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := len(k.list) - 1; i >= 0; i-- {
		if g := k.list[i]; g.filter == nil || g.filter.mayHold(id) {
			numbers = append(numbers, g.number)
		}
	}
	return numbers
}

// place returns the segment for a new key. A new segment is made durable first: both lanes will put keys into it.
func (k *storedKeys) place(id keyID, now int64, window time.Duration) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.open(now, window)
	if g == nil {
		g = k.begin(now, window)
		g.filter = newFilter(k.segmentBytes() / keyCost)
		err := k.store.put(true, func(b *pebble.Batch) error {
			return b.Set(segmentKey(g.number), segmentRecord{expiresMS: g.expiresMS}.encode(), nil)
		})
		if err != nil {
			return 0, err
		}
	}
	k.grow(g)
	g.filter.add(id)
	return g.number, nil
}

// expire drops segments whose time is over.
func (k *storedKeys) expire(now int64) error {
	k.mu.Lock()
	dropped := k.drop(now)
	k.mu.Unlock()
	if len(dropped) == 0 {
		return nil
	}
	return k.store.put(false, func(b *pebble.Batch) error {
		for _, g := range dropped {
			if err := b.DeleteRange(segmentStart(g.number), segmentStart(g.number+1), nil); err != nil {
				return err
			}
			if err := b.Delete(segmentKey(g.number), nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// shortenedCount returns how many segments were dropped before their time.
func (k *storedKeys) shortenedCount() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shortened
}
