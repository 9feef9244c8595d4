package pgwire

import (
	"bytes"
	"encoding/binary"

	"github.com/omendb/omendb/sql/pgerr"
)

// message reads the fields of a message's body. The first field that is not
// there makes bad true, and everything after it zero.
type message struct {
	b   []byte
	bad bool
	// badString tells that what is missing is the end of a string.
	badString bool
	badByte   bool // or a byte
}

func (m *message) str() []byte {
	i := bytes.IndexByte(m.b, 0)
	if i < 0 || m.bad {
		m.badString = m.badString || !m.bad
		m.bad, m.b = true, nil
		return nil
	}
	s := m.b[:i]
	m.b = m.b[i+1:]
	return s
}

func (m *message) bytes(n int) []byte {
	if n < 0 || n > len(m.b) || m.bad {
		m.bad, m.b = true, nil
		return nil
	}
	s := m.b[:n:n]
	m.b = m.b[n:]
	return s
}

// byte reads a byte; its absence has an error of its own.
func (m *message) byte() byte {
	if len(m.b) == 0 && !m.bad {
		m.badByte = true
	}
	if s := m.bytes(1); s != nil {
		return s[0]
	}
	return 0
}

func (m *message) int16() int16 {
	if s := m.bytes(2); s != nil {
		return int16(binary.BigEndian.Uint16(s))
	}
	return 0
}

// count reads a number of fields, 0 to 65535.
func (m *message) count() int { return int(uint16(m.int16())) }

func (m *message) int32() int32 {
	if s := m.bytes(4); s != nil {
		return int32(binary.BigEndian.Uint32(s))
	}
	return 0
}

// done returns the error of a body that is too short or too long.
func (m *message) done() error {
	switch {
	case m.badByte:
		return pgerr.New(pgerr.ProtocolViolation, "no data left in message")
	case m.badString:
		return pgerr.New(pgerr.ProtocolViolation, "invalid string in message")
	case m.bad:
		return pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message")
	case len(m.b) > 0:
		return pgerr.New(pgerr.ProtocolViolation, "invalid message format")
	}
	return nil
}
