package websocket

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateTail is what a sender has cut off the end of a message (RFC 7692, section 7.2.1), and after it an empty block that
// ends the data, so that a reader knows.
const deflateTail = "\x00\x00\xff\xff" + "\x01\x00\x00\xff\xff"

// deflateOverhead is by how many bytes what does not shrink may grow: five for each block (RFC 1951, section 3.2.4), the shortest
// of which an encoder makes for 4 KB.
func deflateOverhead(size int) int { return 64 + size>>9 }

var errTooLong = errors.New("the message is too long")

// inflater is what inflating takes: about 40 KB, which no connection has for itself.
type inflater struct {
	reader  io.ReadCloser // also a flate.Resetter
	source  bytes.Reader
	deflate []byte
}

var inflaters = sync.Pool{New: func() any { return &inflater{reader: flate.NewReader(nil)} }}

// inflate returns the message that payload is compressed. It never holds more than limit bytes of it, so that a payload
// that would become very much costs no more than one that is allowed.
func inflate(payload []byte, limit int) ([]byte, *CloseError) {
	in := inflaters.Get().(*inflater)
	defer inflaters.Put(in)
	in.deflate = append(append(in.deflate[:0], payload...), deflateTail...)
	in.source.Reset(in.deflate)
	if err := in.reader.(flate.Resetter).Reset(&in.source, nil); err != nil {
		return nil, violation(CloseInternal, "inflating cannot begin")
	}
	message, err := readUpTo(in.reader, limit)
	switch {
	case errors.Is(err, errTooLong):
		return nil, violation(CloseTooBig, "message is too long")
	case err != nil || in.source.Len() > len(deflateTail)+1:
		// One byte may follow a block that says that it is the last (RFC 7692, section 7.2.3.4).
		return nil, violation(CloseInvalidPayload, "message is not compressed properly")
	}
	return message, nil
}

// readUpTo reads all that there is, or fails with errTooLong if that is more than limit. It asks for room as bytes come.
func readUpTo(r io.Reader, limit int) ([]byte, error) {
	out := make([]byte, 0, min(512, limit))
	for {
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		case len(out) == limit:
			return out, expectEnd(r)
		case len(out) == cap(out):
			out = append(make([]byte, 0, min(2*cap(out), limit)), out...)
		}
	}
}

func expectEnd(r io.Reader) error {
	var more [1]byte
	switch _, err := io.ReadFull(r, more[:]); {
	case err == nil:
		return errTooLong
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}
