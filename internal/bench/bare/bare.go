//go:build linux

// Package bare is what the bench compares a server with: the least that can be done to get the same bytes to the same number
// of sockets. One goroutine accepts WebSocket connections, and for each frame that a publisher sends it calls write() for
// one subscriber after the other. It is no server: it knows no channels, no ids, no pings and no slow readers.
package bare

import (
	"context"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// PublishPath is where a publisher connects; all others are subscribers.
const PublishPath = "/publish"

const (
	backlog      = 4096
	eventsAtOnce = 256
	bufferBytes  = 128 << 10
)

// server is owned by the goroutine that calls run.
type server struct {
	epoll, listener, wake int

	conns       map[int32]*conn
	subscribers []*conn
	buf         []byte
	frame       []byte
}

// conn is one connection.
type conn struct {
	fd        int
	shaken    bool
	publisher bool
	place     int // among the subscribers
	rest      []byte
}

// Serve listens on a free loopback port, says so on out as earshot serve does, and serves until ctx ends.
func Serve(ctx context.Context, out io.Writer) error {
	s := &server{conns: make(map[int32]*conn), buf: make([]byte, bufferBytes)}
	port, err := s.open()
	if err != nil {
		return fmt.Errorf("open the bare server: %w", err)
	}
	defer s.close()
	stop := context.AfterFunc(ctx, s.rouse)
	defer stop()
	fmt.Fprintf(out, "listening on http://127.0.0.1:%d\n", port)
	return s.run(ctx)
}

func (s *server) open() (port int, err error) {
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return 0, err
	}
	if s.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return 0, err
	}
	s.listener, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := unix.Bind(s.listener, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	if err := unix.Listen(s.listener, backlog); err != nil {
		return 0, err
	}
	for _, fd := range []int{s.wake, s.listener} {
		if err := s.watch(fd); err != nil {
			return 0, err
		}
	}
	name, err := unix.Getsockname(s.listener)
	if err != nil {
		return 0, err
	}
	return name.(*unix.SockaddrInet4).Port, nil
}

func (s *server) watch(fd int) error {
	return unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (s *server) rouse() {
	one := [8]byte{1}
	_, _ = unix.Write(s.wake, one[:]) // if it has no room, run is awake
}

// run serves until ctx ends.
func (s *server) run(ctx context.Context) error {
	events := make([]unix.EpollEvent, eventsAtOnce)
	for ctx.Err() == nil {
		n, err := unix.EpollWait(s.epoll, events, -1)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for sockets: %w", err)
		}
		for _, ev := range events[:n] {
			s.serve(ev.Fd)
		}
	}
	return nil
}

func (s *server) serve(fd int32) {
	if int(fd) == s.listener {
		s.accept()
		return
	}
	c := s.conns[fd]
	if c == nil { // the eventfd, or a connection that was just dropped
		return
	}
	if !s.read(c) {
		s.drop(c)
	}
}

// accept takes the connections that wait.
func (s *server) accept() {
	for {
		fd, _, err := unix.Accept4(s.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil { // EAGAIN: no more; or no descriptors: it comes again
			return
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // slower without, but not wrong
		if s.watch(fd) != nil {
			_ = unix.Close(fd) // it can't be served
			continue
		}
		s.conns[int32(fd)] = &conn{fd: fd}
	}
}

func (s *server) drop(c *conn) {
	delete(s.conns, int32(c.fd))
	_ = unix.Close(c.fd) // there is nothing to do about an error
	if c.shaken && !c.publisher {
		last := s.subscribers[len(s.subscribers)-1]
		s.subscribers[c.place], last.place = last, c.place
		s.subscribers = s.subscribers[:len(s.subscribers)-1]
	}
}

func (s *server) close() {
	for _, c := range s.conns {
		_ = unix.Close(c.fd)
	}
	for _, fd := range []int{s.listener, s.wake, s.epoll} {
		_ = unix.Close(fd)
	}
}
