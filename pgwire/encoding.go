package pgwire

import (
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/types"
)

// encoding is the client's, nil while it is UTF-8 or there is no session.
func (c *conn) encoding() *charset.Encoding {
	if c.session == nil {
		return nil
	}
	return c.session.Env().Client
}

// inward converts strings of a message into UTF-8, in place, and refuses what is no text.
func (c *conn) inward(list ...*[]byte) error {
	e := c.encoding()
	for _, b := range list {
		var err error
		if e != nil {
			*b, err = e.Decode(*b)
		} else if !utf8.Valid(*b) {
			err = types.CheckEncoding(*b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// outward converts a string for the client.
func (c *conn) outward(s string) (string, error) {
	e := c.encoding()
	if e == nil {
		return s, nil
	}
	b, err := e.Encode(nil, []byte(s))
	return string(b), err
}

// lossy converts the texts of an error: it has to arrive whatever it says.
func (c *conn) lossy(m *pgproto3.ErrorResponse) {
	e := c.encoding()
	if e == nil {
		return
	}
	for _, s := range []*string{&m.Message, &m.Detail, &m.Hint, &m.InternalQuery, &m.Where, &m.SchemaName, &m.TableName, &m.ColumnName, &m.DataTypeName,
		&m.ConstraintName} {
		*s = e.EncodeLossy(*s)
	}
}
