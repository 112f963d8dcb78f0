//go:build linux

package crowd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

const (
	// sources is from how many loopback addresses clients connect in turn: one has some 28,000 ports, and those of closed
	// connections are not free at once.
	sources = 16
	// stuckBufferBytes is the receive buffer of a client that is to be stuck; the kernel makes it its minimum.
	stuckBufferBytes = 2 << 10
)

// resolve returns the address of host:port.
func resolve(hostport string) (netip.AddrPort, error) {
	addr, err := net.ResolveTCPAddr("tcp", hostport)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("find the server: %w", err)
	}
	ap := addr.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}

// dial begins to connect a non-blocking socket. number picks the source address.
func dial(to netip.AddrPort, number int, stuck bool) (fd int, err error) {
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open a socket: %w", err)
	}
	if err = prepare(fd, to, number, stuck); err == nil {
		err = unix.Connect(fd, sockaddr(to))
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		_ = unix.Close(fd) // nothing was sent
		return -1, fmt.Errorf("connect to %v: %w", to, err)
	}
	return fd, nil
}

// prepare sets what must be set before connecting.
func prepare(fd int, to netip.AddrPort, number int, stuck bool) error {
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return err
	}
	if stuck {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, stuckBufferBytes); err != nil {
			return err
		}
	}
	if !to.Addr().Is4() || !to.Addr().IsLoopback() {
		return nil
	}
	// The port is chosen when connecting: then two connections may share one, if the server's port differs.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return err
	}
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(1 + number%sources)}})
}

func sockaddr(to netip.AddrPort) unix.Sockaddr {
	if to.Addr().Is6() {
		return &unix.SockaddrInet6{Addr: to.Addr().As16(), Port: int(to.Port())}
	}
	return &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}
}

// connected returns why a socket that was connecting is not connected.
func connected(fd int) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return unix.Errno(code)
	}
	return nil
}

// readFD and writeFD try again when a signal interrupts them.
func readFD(fd int, p []byte) (n int, err error) {
	for {
		if n, err = unix.Read(fd, p); err != unix.EINTR {
			return n, err
		}
	}
}

func writeFD(fd int, p []byte) (n int, err error) {
	for {
		if n, err = unix.Write(fd, p); err != unix.EINTR {
			return n, err
		}
	}
}
