//go:build unix

package websocket

import (
	"sync"
	"syscall"
)

// rawWrite is one write to a raw connection. It is pooled with its bound functions, so that a write allocates nothing.
type rawWrite struct {
	rest     []byte
	err      error
	progress func()

	once, all func(fd uintptr) bool
}

var rawWrites = sync.Pool{New: func() any {
	op := new(rawWrite)
	op.once, op.all = op.writeOnce, op.writeAll
	return op
}}

func (s *rawSocket) tryWrite(p []byte) (int, error) {
	op := rawWrites.Get().(*rawWrite)
	defer op.free()
	op.rest = p
	if err := s.raw.Write(op.once); err != nil {
		return 0, err
	}
	return len(p) - len(op.rest), op.err
}

func (s *rawSocket) write(p []byte, progress func()) error {
	op := rawWrites.Get().(*rawWrite)
	defer op.free()
	op.rest, op.progress = p, progress
	if err := s.raw.Write(op.all); err != nil {
		return err
	}
	return op.err
}

func (op *rawWrite) free() {
	op.rest, op.err, op.progress = nil, nil, nil
	rawWrites.Put(op)
}

// writeOnce writes what the socket takes and never asks to wait.
func (op *rawWrite) writeOnce(fd uintptr) bool {
	op.step(int(fd))
	return true
}

// writeAll asks to wait until all is written.
func (op *rawWrite) writeAll(fd uintptr) bool {
	for len(op.rest) > 0 && op.err == nil {
		if op.step(int(fd)) == 0 {
			return op.err != nil
		}
		op.progress()
	}
	return true
}

// step writes once and returns how much the socket took. A full socket is no error.
func (op *rawWrite) step(fd int) int {
	for {
		n, err := syscall.Write(fd, op.rest)
		if err == syscall.EINTR {
			continue
		}
		if err != nil && err != syscall.EAGAIN {
			op.err = err
		}
		n = max(n, 0)
		op.rest = op.rest[n:]
		return n
	}
}
