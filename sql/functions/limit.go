package functions

import (
	"context"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// A statement that was cancelled ends within 100 ms, and one value may not take more memory than the whole statement.
// So functions whose work or result can be far larger than their arguments ask here as they go.

// piece is how many bytes a function works on between two looks at whether the statement was cancelled: about a
// millisecond.
const piece = 1 << 18

// Canceled returns the error of a statement that is to end, nil while it may go on.
func (c *Ctx) Canceled() error {
	if c == nil || c.Context == nil {
		return nil
	}
	if c.Context.Err() != nil {
		return pgerr.From(context.Cause(c.Context))
	}
	return nil
}

// Room reports an error where a function is about to make something of so many bytes and may not.
func (c *Ctx) Room(bytes int64) error {
	if c != nil && c.Limit > 0 && bytes > c.Limit {
		return pgerr.New(pgerr.OutOfMemory, "out of memory").
			WithDetail("Failed on request of size %d: the statement may use %d bytes.", bytes, c.Limit)
	}
	return c.Canceled()
}

// textRoom is Room for a text, which has a limit of its own.
func (c *Ctx) textRoom(bytes int64) error {
	if bytes > maxText {
		return tooLong()
	}
	if bytes < piece {
		return nil
	}
	return c.Room(bytes)
}

// pace counts the steps of a loop and looks now and then whether the statement was cancelled.
type pace struct {
	c    *Ctx
	done int
}

// step counts n bytes or steps of about a nanosecond each.
func (p *pace) step(n int) error {
	if p.done += n; p.done < piece {
		return nil
	}
	p.done = 0
	return p.c.Canceled()
}

// inPieces computes a text function that treats every character by itself, a piece at a time.
func inPieces(c *Ctx, s []byte, f func([]byte) []byte) (column.Datum, error) {
	if len(s) <= piece {
		return bytesResult(f(s))
	}
	var out []byte
	for len(s) > 0 {
		n := min(piece, len(s))
		for n < len(s) && s[n]&0xC0 == 0x80 { // not inside a character
			n++
		}
		out = append(out, f(s[:n])...)
		s = s[n:]
		if err := c.textRoom(int64(len(out))); err != nil {
			return column.Datum{}, err
		}
		if err := c.Canceled(); err != nil {
			return column.Datum{}, err
		}
	}
	return bytesResult(out)
}

// repeated is bytes.Repeat.
func repeated(c *Ctx, s []byte, n int) ([]byte, error) {
	size := len(s) * n
	if err := c.textRoom(int64(size)); err != nil || size == 0 {
		return nil, err
	}
	out := make([]byte, size)
	done := copy(out, s)
	for done < size {
		done += copy(out[done:], out[:min(done, piece/len(s)*len(s)+len(s))])
		if done >= piece {
			if err := c.Canceled(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
