package local

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/earshot/earshot/engine"
)

// errCorrupt says that the store holds what this program never wrote.
var errCorrupt = errors.New("store is corrupt")

const recordVersion = 1

// channelRecord says what a channel is. Only the channel's lane writes it.
type channelRecord struct {
	id         uint64
	epoch      uint64
	generation uint64 // of the store when the epoch began
	loose      bool   // written without waiting for the disk: an unclean stop ends the epoch
	kind       engine.Kind
}

func (r channelRecord) encode() []byte {
	b := binary.LittleEndian.AppendUint64([]byte{recordVersion}, r.id)
	b = binary.LittleEndian.AppendUint64(b, r.epoch)
	b = binary.AppendUvarint(b, r.generation)
	loose := byte(0)
	if r.loose {
		loose = 1
	}
	return append(b, loose, byte(r.kind))
}

func decodeChannelRecord(value []byte) (channelRecord, error) {
	d := newDecoder(value)
	d.version(recordVersion)
	r := channelRecord{id: d.Uint64(), epoch: d.Uint64(), generation: d.Uvarint(), loose: d.Byte() == 1, kind: engine.Kind(d.Byte())}
	if !d.OK() || r.epoch == 0 {
		return r, fmt.Errorf("%w: channel record", errCorrupt)
	}
	return r, nil
}

// floorRecord says how far a channel was trimmed, and where its top was: the entries that say so may be gone.
type floorRecord struct {
	first  uint64
	top    uint64
	tag    uint32
	bytes  int64 // sum of the sizes of all publications up to the top
	unixMS int64 // of the top
}

func (r floorRecord) encode() []byte {
	b := binary.AppendUvarint([]byte{recordVersion}, r.first)
	b = binary.AppendUvarint(b, r.top)
	b = binary.LittleEndian.AppendUint32(b, r.tag)
	b = binary.AppendUvarint(b, uint64(r.bytes))
	return binary.AppendUvarint(b, uint64(r.unixMS))
}

func decodeFloorRecord(value []byte) (floorRecord, error) {
	d := newDecoder(value)
	d.version(recordVersion)
	r := floorRecord{first: d.Uvarint(), top: d.Uvarint(), tag: d.Uint32(), bytes: d.number(), unixMS: d.number()}
	if !d.OK() || r.first == 0 || r.first-1 > r.top {
		return r, fmt.Errorf("%w: floor record", errCorrupt)
	}
	return r, nil
}

// keyRecord says what was committed under an idempotency id.
type keyRecord struct {
	digest   digest
	unixMS   int64
	position engine.Position // zero if nobody listened to an unretained channel
}

func (r keyRecord) appendTo(dst []byte) []byte {
	dst = append(append(dst, recordVersion), r.digest[:]...)
	dst = binary.AppendUvarint(dst, uint64(r.unixMS))
	dst = binary.LittleEndian.AppendUint64(dst, r.position.Epoch)
	dst = binary.LittleEndian.AppendUint32(dst, r.position.Tag)
	return binary.AppendUvarint(dst, r.position.Offset)
}

func decodeKeyRecord(value []byte) (keyRecord, error) {
	d := newDecoder(value)
	d.version(recordVersion)
	var r keyRecord
	copy(r.digest[:], d.Take(uint64(len(r.digest))))
	r.unixMS = d.number()
	r.position = engine.Position{Epoch: d.Uint64(), Tag: d.Uint32(), Offset: d.Uvarint()}
	if !d.OK() {
		return r, fmt.Errorf("%w: key record", errCorrupt)
	}
	return r, nil
}

// segmentRecord describes a segment of the idempotency ids.
type segmentRecord struct {
	expiresMS int64 // when the last of its keys is forgotten
}

func (r segmentRecord) encode() []byte {
	return binary.AppendUvarint([]byte{recordVersion}, uint64(r.expiresMS))
}

func decodeSegmentRecord(value []byte) (segmentRecord, error) {
	d := newDecoder(value)
	d.version(recordVersion)
	r := segmentRecord{expiresMS: d.number()}
	if !d.OK() {
		return r, fmt.Errorf("%w: segment record", errCorrupt)
	}
	return r, nil
}
