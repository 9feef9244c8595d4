package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// exchangeOf is what is sent to the server, byte slices, on a connection of its own.
type exchangeOf struct {
	name  string
	steps []any
}

// bytesOf makes a message of its type and fields; a string gets its zero byte.
func bytesOf(t byte, parts ...any) []byte {
	var body []byte
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			body = append(append(body, p...), 0)
		case []byte:
			body = append(body, p...)
		case int16:
			body = binary.BigEndian.AppendUint16(body, uint16(p))
		case int32:
			body = binary.BigEndian.AppendUint32(body, uint32(p))
		case byte:
			body = append(body, p)
		}
	}
	return append(binary.BigEndian.AppendUint32([]byte{t}, uint32(len(body)+4)), body...)
}

// lyingOf makes a message whose length is not the one that it has.
func lyingOf(s string, length int32) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{s[0]}, uint32(length)), s[1:]...)
}

func ask(sql string) []byte { return bytesOf('Q', sql) }

func parseOf(name, sql string, oids ...int32) []byte {
	parts := []any{name, sql, int16(len(oids))}
	for _, o := range oids {
		parts = append(parts, o)
	}
	return bytesOf('P', parts...)
}

func bindOf(portal, statement string, formats []int16, values []any, results []int16) []byte {
	parts := []any{portal, statement, int16(len(formats))}
	for _, f := range formats {
		parts = append(parts, f)
	}
	parts = append(parts, int16(len(values)))
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			parts = append(parts, int32(-1))
		case string:
			parts = append(parts, int32(len(v)), []byte(v))
		case []byte:
			parts = append(parts, int32(len(v)), v)
		}
	}
	parts = append(parts, int16(len(results)))
	for _, f := range results {
		parts = append(parts, f)
	}
	return bytesOf('B', parts...)
}

func executeOf(portal string, rows int32) []byte { return bytesOf('E', portal, rows) }
func describeOf(kind byte, name string) []byte   { return bytesOf('D', kind, name) }
func closeOf(kind byte, name string) []byte      { return bytesOf('C', kind, name) }
func copyOf(data string) []byte                  { return bytesOf('d', []byte(data)) }

var syncMessage, flushMessage, terminateMessage, copyDoneMessage = bytesOf('S'), bytesOf('H'), bytesOf('X'), bytesOf('c')

// messagesSession sends each exchange and writes down every message that comes back.
func messagesSession(uri string) error {
	version("github.com/jackc/pgx/v5")
	ctx := context.Background()
	for _, x := range exchanges {
		setup, err := pgconn.Connect(ctx, uri)
		if err != nil {
			return err
		}
		_, err = setup.Exec(ctx, `DROP TABLE IF EXISTS rawt; CREATE TABLE rawt (a int PRIMARY KEY, b text, c numeric);
			INSERT INTO rawt SELECT g, 'v' || g, g FROM generate_series(1, 10) g`).ReadAll()
		if err != nil {
			return err
		}
		hijacked, err := setup.Hijack()
		if err != nil {
			return err
		}
		check(x.name, func() (any, error) { return transcript(hijacked.Conn, x.steps) })
		hijacked.Conn.Close()
	}
	return nil
}

// quiet is how long a server that has nothing to say says nothing.
const quiet = 80 * time.Millisecond

// transcript sends the steps, then asks whether the connection lives.
func transcript(conn net.Conn, steps []any) (any, error) {
	var out []string
	// read takes answers until the server waits for more, or until one begins with last.
	read := func(limit time.Duration, enough func(kind byte, body string) bool) bool {
		for {
			if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
				return false
			}
			head := make([]byte, 5)
			if _, err := io.ReadFull(conn, head); err != nil {
				var n net.Error
				if errors.As(err, &n) && n.Timeout() {
					return true
				}
				out = append(out, "closed")
				return false
			}
			body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
			if _, err := io.ReadFull(conn, body); err != nil {
				return false
			}
			if text := shown(head[0], body); text != "" {
				out = append(out, text)
			}
			if enough(head[0], string(body)) {
				return true
			}
		}
	}
	for _, step := range steps {
		if b, ok := step.([]byte); ok {
			if _, err := conn.Write(b); err != nil {
				return out, nil // the server has closed: what it said shows why
			}
			continue
		}
		read(quiet, func(kind byte, _ string) bool { return kind == 'Z' || kind == 'G' })
	}
	if !read(quiet, func(byte, string) bool { return false }) {
		return out, nil
	}
	if _, err := conn.Write(ask("SELECT 'alive'")); err != nil {
		return append(out, "closed"), nil
	}
	alive := false
	read(4*quiet, func(kind byte, body string) bool {
		alive = alive || kind == 'D' && strings.HasSuffix(body, "alive")
		return alive && kind == 'Z'
	})
	return out, nil
}

// withoutTables is a RowDescription whose object ids of tables, which differ between servers, are marks.
func withoutTables(body []byte) []byte {
	if len(body) < 2 {
		return body
	}
	out, rest := slices.Clone(body[:2]), body[2:]
	for {
		end := bytes.IndexByte(rest, 0)
		if end < 0 || len(rest) < end+19 {
			return append(out, rest...)
		}
		out = append(out, rest[:end+1]...)
		if table := rest[end+1 : end+5]; binary.BigEndian.Uint32(table) != 0 {
			out = append(out, " OID "...)
		} else {
			out = append(out, table...)
		}
		out, rest = append(out, rest[end+5:end+19]...), rest[end+19:]
	}
}

// shown writes one message down; parameters, keys and numbers of processes differ between servers.
func shown(kind byte, body []byte) string {
	switch kind {
	case 'S', 'K', 'R':
		return ""
	case 'A':
		return fmt.Sprintf("A %q", body[4:])
	case 'T':
		return fmt.Sprintf("T %q", withoutTables(body))
	case 'E', 'N':
		fields := map[byte]string{}
		for len(body) > 1 {
			text, rest, _ := strings.Cut(string(body[1:]), "\x00")
			fields[body[0]], body = text, []byte(rest)
		}
		out := string(kind)
		for _, k := range []byte("SCMDHPpqWstcdn") {
			if fields[k] != "" {
				out += fmt.Sprintf(" %c=%q", k, fields[k])
			}
		}
		return out
	}
	return fmt.Sprintf("%c %q", kind, body)
}
