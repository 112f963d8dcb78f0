package redis

import (
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/engine/internal/packed"
)

// mapChange is a proposed change of a map.
type mapChange struct {
	engine.MapChange
	// tends, if not zero, is the version of a key that is due to be deleted: it expired, or belongs to the run of a node
	// that is dead. The change is made only if that is still so.
	tends uint64
	run   string // of tends: the dead node's
}

// appendChange appends what a change is about. It comes before the body in what keys are compared by and tags chain.
func appendChange(dst []byte, c *engine.MapChange) []byte {
	dst = packed.AppendBytes(dst, c.Key)
	if c.Delete {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// changeCall returns the keys and arguments of the script that changes a map.
func (e *Engine) changeCall(batch []proposal) (keys, args []string) {
	names := e.keys.channel(batch[0].channel)
	rules := batch[0].rules
	maxKeys := rules.MaxKeys
	if maxKeys <= 0 {
		maxKeys = engine.DefaultMaxKeys
	}
	keys = names.ofMap()
	args = append(make([]string, 0, 7+11*len(batch)), names.feed, newEpoch(), e.now(), strconv.Itoa(maxKeys),
		milliseconds(idemWindow(rules)), milliseconds(idemWindow(rules)+idemSlack), milliseconds(emptyTTL))
	for i := range batch {
		p := &batch[i]
		if p.keyed {
			keys = append(keys, p.key)
		}
		args = append(args, p.digest, strconv.FormatUint(uint64(contentHash(p.body)), 10), rueidis.BinaryString(p.payload))
		args = e.appendChangeArgs(args, p.change)
	}
	return keys, args
}

func (e *Engine) appendChangeArgs(args []string, c *mapChange) []string {
	ifVersion, tends, run := "", "", e.nodes.run()
	if c.IfVersion != nil {
		ifVersion = strconv.FormatUint(*c.IfVersion, 10)
	}
	if c.tends != 0 {
		tends, run = strconv.FormatUint(c.tends, 10), c.run
	}
	return append(args, c.Key, flag(c.Delete), ifVersion, milliseconds(max(0, c.TTL)), c.Owner, c.IfOwner, run, tends)
}

// mapEntry is the newest change of a key.
type mapEntry struct {
	*engine.Publication
	expiresMS int64  // zero: never
	run       string // of the node that its owner was on; empty: it has no owner
}

// runBytes is the length of the name of a node's run.
const runBytes = 8

// decodeChange reads an entry of a map: see MAP_HEADER in maplib.lua.
func decodeChange(epoch uint64, value []byte) (mapEntry, error) {
	d := newDecoder(value)
	m := mapEntry{Publication: &engine.Publication{}}
	m.Epoch = epoch
	d.header(m.Publication)
	m.Offset, m.expiresMS = uint64(d.number()), d.number()
	run := string(d.Take(runBytes))
	m.Gone = d.Byte() == 1
	if owner := d.Take(uint64(d.Uint16())); len(owner) > 0 {
		m.run = run
	}
	m.Sender = d.Text()
	content := d.Rest
	m.Key = d.Text()
	gone := d.Byte() == 1
	d.body(m.Publication)
	if gone != m.Gone {
		d.Bad = true
	}
	return m, d.finish(m.Publication, content)
}

// decodeFedChange is decodeChange for what Redis sends.
func decodeFedChange(pos engine.Position, value []byte) (*engine.Publication, error) {
	m, err := decodeChange(pos.Epoch, value)
	if err == nil && m.Offset != pos.Offset {
		err = fmt.Errorf("%w: change %d", errCorrupt, pos.Offset)
	}
	return m.Publication, err
}
