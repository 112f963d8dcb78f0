package client

import (
	"container/list"
	"errors"
	"fmt"
	"time"

	"github.com/earshot/earshot/wire"
)

// ErrMapTooLarge: a map that is watched holds more than Options.MapBytes.
var ErrMapTooLarge = errors.New("the map is larger than this client may hold")

// MapEvent is what a watch of a map tells: a Change, a Reset or a Synced.
type MapEvent interface{ mapEvent() }

// Change says what a key of a map holds. Its data must not be modified.
type Change struct {
	Key     string
	Version uint64 // of one key they only go up
	Gone    bool   // the key was deleted; there is no data
	Data    Data
	Time    time.Time // when it was committed
	User    string    // who made the change; empty for an anonymous client, for the server, and for a key whose time was over
}

// Synced says that every key of a map is known: those that were not told are not there. It comes once the keys that there
// were have been told, and again after a Reset.
type Synced struct{ Channel string }

func (Change) mapEvent() {}
func (Reset) mapEvent()  {}
func (Synced) mapEvent() {}

// Decode reads JSON data into v. Bytes, and a key that is gone, are an error.
func (c Change) Decode(v any) error {
	if c.Gone {
		return fmt.Errorf("key %q is gone", c.Key)
	}
	return decodeData(c.Data, v, "key %q at version %d", c.Key, c.Version)
}

func changeOf(p Publication) Change {
	return Change{Key: p.Key, Version: p.Offset, Gone: p.Gone, Data: p.Data, Time: p.Time, User: p.User}
}

// mapCopy is what a watch has of a map: the newest of each key, and in which order to tell its consumer what is new. It
// holds each key once, however often it changes.
type mapCopy struct {
	keys   map[string]*copiedKey
	news   list.List // of *copiedKey, Reset and Synced
	live   int       // keys that are not gone
	bytes  int
	limit  int
	synced bool // every key is in keys
}

// copiedKey is a key and the newest that arrived of it. One that is gone stays until that is told.
type copiedKey struct {
	Change
	news *list.Element // in mapCopy.news; nil: it was told
	told bool          // the consumer knows the key, with an earlier value or this one
}

func newMapCopy(limit int) *mapCopy {
	return &mapCopy{keys: make(map[string]*copiedKey), limit: limit}
}

// take applies what arrived.
func (m *mapCopy) take(ev Event) error {
	switch ev := ev.(type) {
	case Publication:
		if ev.Key == "" {
			return wire.Errorf(wire.CodeWrongKind, "the channel is no map")
		}
		m.change(changeOf(ev))
		if m.bytes > m.limit {
			return ErrMapTooLarge
		}
	case Reset:
		m.forget()
		m.news.PushBack(ev)
	}
	return nil
}

func (m *mapCopy) change(c Change) {
	k := m.keys[c.Key]
	if k == nil {
		if c.Gone {
			return
		}
		k = &copiedKey{Change: Change{Key: c.Key, Gone: true}}
		m.keys[c.Key] = k
	} else {
		m.count(k, -1)
	}
	k.Change = c
	m.count(k, 1)
	switch {
	case c.Gone && !k.told:
		m.news.Remove(k.news) // it came and went, and the consumer need not know
		m.drop(k)
	case k.news == nil:
		k.news = m.news.PushBack(k)
	}
}

// count adds k to the sums, or, with sign -1, takes it out.
func (m *mapCopy) count(k *copiedKey, sign int) {
	if !k.Gone {
		m.live += sign
	}
	m.bytes += sign * (eventOverheadBytes + len(k.Key) + len(k.Data.Body) + len(k.User))
}

func (m *mapCopy) drop(k *copiedKey) {
	m.count(k, -1)
	delete(m.keys, k.Key)
}

// forget empties the copy. What was not told never will be.
func (m *mapCopy) forget() {
	clear(m.keys)
	m.news.Init()
	m.live, m.bytes, m.synced = 0, 0, false
}

// sync notes that every key has arrived.
func (m *mapCopy) sync(channel string) {
	if !m.synced {
		m.synced = true
		m.news.PushBack(Synced{channel})
	}
}

// next takes out what the consumer is to be told next, or returns nil.
func (m *mapCopy) next() MapEvent {
	first := m.news.Front()
	if first == nil {
		return nil
	}
	m.news.Remove(first)
	k, ok := first.Value.(*copiedKey)
	if !ok {
		return first.Value.(MapEvent)
	}
	k.news, k.told = nil, true
	if k.Gone {
		m.drop(k)
	}
	return k.Change
}
