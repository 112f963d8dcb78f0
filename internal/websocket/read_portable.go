//go:build !unix

package websocket

import "net"

func newSocket(nc net.Conn) socket { return &blockingSocket{conn: nc} }
