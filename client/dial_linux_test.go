package client

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// listenFull returns the address of a listener whose backlog is full: whoever dials it waits for minutes.
func listenFull(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for {
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
}

// A client whose network swallows everything stops dialling when an attempt is over, and when it is closed.
func TestDialEndsWithItsAttempt(t *testing.T) {
	before := goleak.IgnoreCurrent()
	tried := make(chan struct{}, 100)
	c, err := Connect(context.Background(), "http://"+listenFull(t), Options{
		ConnectTimeout: 50 * time.Millisecond, BackoffBase: time.Millisecond, BackoffMax: time.Millisecond,
		OnState: func(State) {
			select {
			case tried <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-tried
	}
	if err := c.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	goleak.VerifyNone(t, before)
}
