package pgwire

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket reads and writes a connection's socket without telling the scheduler:
// the socket does not block, so a call is over in microseconds, and on a busy
// machine the scheduler would give the processor away whenever the client that
// a write wakes takes it for a moment. Where a call would block, the
// runtime's poller waits, with the connection's deadlines.
type socket struct {
	net.Conn
	raw       syscall.RawConn
	in, out   []byte
	n         int // bytes read or written
	err       error
	readStep  func(fd uintptr) bool
	writeStep func(fd uintptr) bool
}

// direct returns a connection that goes straight to the socket of nc, or nc
// itself where that cannot be done.
func direct(nc net.Conn) net.Conn {
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
	default:
		return nc
	}
	raw, err := nc.(syscall.Conn).SyscallConn()
	if err != nil {
		return nc
	}
	s := &socket{Conn: nc, raw: raw}
	s.readStep, s.writeStep = s.readOnce, s.writeOnce
	return s
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.in, s.n, s.err = p, 0, nil
	err := s.raw.Read(s.readStep)
	s.in = nil
	switch {
	case err != nil:
		return 0, err
	case s.err != nil:
		return 0, s.err
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

func (s *socket) readOnce(fd uintptr) (done bool) {
	for {
		n, _, e := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&s.in[0])), uintptr(len(s.in)))
		switch e {
		case 0:
			s.n = int(n)
			return true
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			s.err = os.NewSyscallError("read", e)
			return true
		}
	}
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.out, s.err = p, nil
	err := s.raw.Write(s.writeStep)
	left := len(s.out)
	s.out = nil
	if err == nil {
		err = s.err
	}
	return len(p) - left, err
}

func (s *socket) writeOnce(fd uintptr) (done bool) {
	for len(s.out) > 0 {
		part := s.out[:min(len(s.out), maxDirectWrite)]
		n, _, e := unix.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&part[0])), uintptr(len(part)))
		switch e {
		case 0:
			s.out = s.out[n:]
		case unix.EAGAIN:
			return false
		case unix.EINTR:
		default:
			s.err = os.NewSyscallError("write", e)
			return true
		}
	}
	return true
}

// maxDirectWrite bounds one call: while it lasts the collector cannot stop the
// thread.
const maxDirectWrite = 64 << 10
