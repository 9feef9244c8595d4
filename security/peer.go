package security

import (
	"errors"
	"net"
)

// ErrNoPeer says that a connection cannot tell who is at its other end.
var ErrNoPeer = errors.New("no peer credentials")

// PeerUID returns the operating system's user at the other end of a Unix
// socket. Other connections, and systems that cannot tell, give ErrNoPeer.
func PeerUID(c net.Conn) (int, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, ErrNoPeer
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	uid, inner := 0, error(nil)
	if err := raw.Control(func(fd uintptr) { uid, inner = peerUID(int(fd)) }); err != nil {
		return 0, err
	}
	return uid, inner
}
