package websocket

import (
	"encoding/binary"
	"unicode/utf8"
)

// maxForesight makes a message of the default limit that comes in full reads of 8 KB be allocated at once.
const maxForesight = 10

// parser makes messages and control frames out of a client's bytes, however they are cut. It checks every rule as soon as
// the bytes that break it are there, and allocates in proportion to what came, never for what a header only claims.
type parser struct {
	// Set by the connection, then read-only.
	maxMessageBytes, maxFrames int
	inflates                   bool // messages may be compressed

	// The frame's header, until it is whole; then its payload.
	head    [maxHeaderBytes]byte
	headLen uint8
	inFrame bool // the header is whole, left bytes of payload are to come
	final   bool
	op      Opcode
	key     uint32
	left    int
	control []byte // payload of a control frame that came in pieces
	// The message under way.
	messageOp  Opcode // OpContinuation: none
	compressed bool
	message    []byte
	frames     int
	text       textChecker
}

// event is what the parser found: a whole message (OpText, OpBinary) or a control frame. The zero value is nothing yet.
type event struct {
	op      Opcode
	payload []byte // valid until the next call of the parser, and as long as the bytes that it was given
}

// next takes bytes from the front of data, which it unmasks in place, up to the end of one frame, and returns the rest.
// It takes at least one. An error is final.
func (p *parser) next(data []byte) (event, []byte, *CloseError) {
	if !p.inFrame {
		var err *CloseError
		if data, err = p.header(data); err != nil || !p.inFrame {
			return event{}, data, err
		}
	}
	piece := data[:min(len(data), p.left)]
	data = data[len(piece):]
	p.key = unmask(piece, p.key)
	p.left -= len(piece)
	p.inFrame = p.left > 0
	if p.op.isControl() {
		return p.controlPiece(piece), data, nil
	}
	ev, err := p.dataPiece(piece)
	return ev, data, err
}

// underway reports whether a frame or a message has begun and not ended.
func (p *parser) underway() bool { return p.headLen > 0 || p.inFrame || p.inMessage() }

// inMessage reports whether a message has begun and not ended.
func (p *parser) inMessage() bool { return p.messageOp != OpContinuation }

// header takes bytes of a frame's header and, once it is whole, begins the frame.
func (p *parser) header(data []byte) ([]byte, *CloseError) {
	data = p.takeHead(data, 2)
	if p.headLen < 2 {
		return data, nil
	}
	if err := p.checkStart(); err != nil {
		return data, err
	}
	need := 2 + sizeBytes(p.head[1]&bitsSize) + maskBytes
	data = p.takeHead(data, need)
	if int(p.headLen) < need {
		return data, nil
	}
	return data, p.beginFrame()
}

// takeHead moves bytes from data to the header until that has need of them.
func (p *parser) takeHead(data []byte, need int) []byte {
	if int(p.headLen) >= need {
		return data
	}
	n := copy(p.head[p.headLen:need], data)
	p.headLen += uint8(n)
	return data[n:]
}

// sizeBytes returns how many bytes of extended length follow the given 7 bits.
func sizeBytes(size byte) int {
	switch size {
	case size16:
		return 2
	case size64:
		return 8
	default:
		return 0
	}
}

// checkStart checks all that the first two bytes of a header tell.
func (p *parser) checkStart() *CloseError {
	first, second := p.head[0], p.head[1]
	op := Opcode(first & bitsOp)
	switch {
	case first&bitsRSV != 0 && !p.mayBeCompressed(first):
		return violation(CloseProtocolError, "reserved bit is set")
	case !op.isKnown():
		return violation(CloseProtocolError, "unknown opcode")
	case second&bitMask == 0:
		return violation(CloseProtocolError, "frame is not masked")
	case op.isControl() && first&bitFin == 0:
		return violation(CloseProtocolError, "control frame is fragmented")
	case op.isControl() && second&bitsSize > maxControlBytes:
		return violation(CloseProtocolError, "control frame is too long")
	case op == OpContinuation && !p.inMessage():
		return violation(CloseProtocolError, "nothing to continue")
	case !op.isControl() && op != OpContinuation && p.inMessage():
		return violation(CloseProtocolError, "message inside a message")
	}
	return nil
}

// mayBeCompressed reports whether the reserved bits of a frame say no more than that a message begins which is compressed.
func (p *parser) mayBeCompressed(first byte) bool {
	op := Opcode(first & bitsOp)
	return p.inflates && first&bitsRSV == bitCompressed && (op == OpText || op == OpBinary)
}

// beginFrame reads the whole header.
func (p *parser) beginFrame() *CloseError {
	size, err := p.payloadSize()
	if err != nil {
		return err
	}
	p.op = Opcode(p.head[0] & bitsOp)
	if !p.op.isControl() {
		if err := p.admit(size); err != nil {
			return err
		}
	}
	p.final = p.head[0]&bitFin != 0
	p.key = binary.LittleEndian.Uint32(p.head[p.headLen-maskBytes:])
	p.left = int(size) // admit and checkStart have bounded it
	p.headLen, p.inFrame = 0, true
	return nil
}

// payloadSize reads the length of the frame's payload and checks that it is written in its shortest form.
func (p *parser) payloadSize() (uint64, *CloseError) {
	var size, least uint64
	switch short := p.head[1] & bitsSize; short {
	case size16:
		size, least = uint64(binary.BigEndian.Uint16(p.head[2:])), size16
	case size64:
		size, least = binary.BigEndian.Uint64(p.head[2:]), maxSize16+1
	default:
		size = uint64(short)
	}
	if size < least {
		return 0, violation(CloseProtocolError, "length is not in its shortest form")
	}
	if size>>63 != 0 {
		return 0, violation(CloseProtocolError, "length has its top bit set")
	}
	return size, nil
}

// admit checks that a data frame of size bytes keeps its message within bounds, and counts it.
func (p *parser) admit(size uint64) *CloseError {
	if p.op != OpContinuation {
		p.messageOp, p.compressed = p.op, p.head[0]&bitCompressed != 0
	}
	limit := p.maxMessageBytes
	if p.compressed {
		limit += deflateOverhead(limit)
	}
	if size > uint64(limit-len(p.message)) {
		return violation(CloseTooBig, "message is too long")
	}
	if p.frames >= p.maxFrames {
		return violation(CloseTooBig, "message has too many fragments")
	}
	p.frames++
	return nil
}

// controlPiece takes unmasked payload of a control frame.
func (p *parser) controlPiece(piece []byte) event {
	if p.inFrame || len(p.control) > 0 {
		p.control = append(p.control, piece...)
		piece = p.control
	}
	if p.inFrame {
		return event{}
	}
	p.control = nil
	return event{op: p.op, payload: piece}
}

// dataPiece takes unmasked payload of a message. A message that came in one piece is not copied.
func (p *parser) dataPiece(piece []byte) (event, *CloseError) {
	last := p.final && !p.inFrame
	if p.messageOp == OpText && !p.compressed {
		if !p.text.check(piece) || last && !p.text.complete() {
			return event{}, violation(CloseInvalidPayload, "text is not UTF-8")
		}
	}
	if !last || len(p.message) > 0 {
		p.keep(piece)
		piece = p.message
	}
	if !last {
		return event{}, nil
	}
	ev, err := p.whole(piece)
	p.messageOp, p.message, p.frames = OpContinuation, nil, 0
	return ev, err
}

// whole makes an event of the payload of a message.
func (p *parser) whole(payload []byte) (event, *CloseError) {
	if !p.compressed {
		return event{op: p.messageOp, payload: payload}, nil
	}
	payload, err := inflate(payload, p.maxMessageBytes)
	if err == nil && p.messageOp == OpText && !utf8.Valid(payload) {
		err = violation(CloseInvalidPayload, "text is not UTF-8")
	}
	return event{op: p.messageOp, payload: payload}, err
}

// keep appends a piece to the message. It makes room for the rest of the frame too, but for no more than maxForesight times
// what came, so that a length that is only claimed costs little.
func (p *parser) keep(piece []byte) {
	came := len(p.message) + len(piece)
	if came > cap(p.message) {
		room := make([]byte, len(p.message), min(came+p.left, maxForesight*came))
		copy(room, p.message)
		p.message = room
	}
	p.message = append(p.message, piece...)
}
