package exec

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// maxCopyLine bounds one line (record) of COPY data: PostgreSQL's limit of a string buffer.
const maxCopyLine = 1<<30 - 1

// copyChunk is how much is read at once.
const copyChunk = 64 << 10

// copyField is one field of a line. A quoted field is never the NULL string by itself.
type copyField struct {
	text   []byte
	null   bool
	quoted bool
}

// lineReader cuts COPY data in text and csv format into lines and fields.
type lineReader struct {
	opts   *copyOptions
	r      io.Reader
	buf    []byte
	pos    int
	eof    bool
	eol    byte // '\n', '\r', or 'c' for "\r\n"; 0 before the first line
	line   []byte
	number int64 // of the current line, from 1; csv fields may span several
	fields []copyField
	plain  []byte // memory of fields that needed unescaping
	// escapes tells that the current line may have backslashes.
	escapes bool
	ended   bool // the end marker \. was seen
	reading bool // the next line is not there yet
	bad     bool // the current line is no text to show
}

// fill reads more data behind what is buffered; false at the end.
func (l *lineReader) fill() (bool, error) {
	if l.eof {
		return false, nil
	}
	if l.pos > 0 {
		l.buf = append(l.buf[:0], l.buf[l.pos:]...)
		l.pos = 0
	}
	if len(l.buf) > maxCopyLine {
		return false, pgerr.New(pgerr.ProgramLimitExceeded, "out of memory").WithDetail("Cannot enlarge string buffer containing %d bytes by %d more bytes.", len(l.buf), copyChunk)
	}
	n := len(l.buf)
	if cap(l.buf)-n < copyChunk {
		grown := make([]byte, n, max(2*cap(l.buf), n+copyChunk))
		copy(grown, l.buf)
		l.buf = grown
	}
	k, err := l.r.Read(l.buf[n:cap(l.buf)])
	l.buf = l.buf[:n+k]
	if err == io.EOF {
		l.eof = true
		return k > 0, nil
	}
	return true, err
}

// next reads the next line; false at the end of the data.
func (l *lineReader) next() (bool, error) {
	if l.ended {
		return false, nil
	}
	l.reading = true
	n, skip, err := l.findEnd()
	if err != nil {
		return false, err
	}
	l.reading = false
	if n == 0 && skip == 0 {
		return false, nil
	}
	l.number++
	l.line = l.buf[l.pos : l.pos+n]
	l.pos += n + skip
	if string(l.line) == `\.` && (skip > 0 || l.opts.format == copyCSV) {
		l.ended = true
		return false, nil
	}
	if l.opts.format == copyText && bytes.HasPrefix(l.line, []byte(`\.`)) {
		l.bad = true
		return false, pgerr.New(pgerr.BadCopyFileFormat, "end-of-copy marker corrupt")
	}
	if !utf8.Valid(l.line) || bytes.IndexByte(l.line, 0) >= 0 {
		l.bad = true
		return false, badBytes(l.line)
	}
	return true, nil
}

// findEnd returns the length of the line at pos and of its terminator.
func (l *lineReader) findEnd() (n, skip int, err error) {
	if n, ok := l.plainEnd(); ok {
		return n, 1, nil
	}
	inQuote, i := false, 0
	for {
		data := l.buf[l.pos:]
		for ; i < len(data); i++ {
			c := data[i]
			switch {
			case l.opts.format == copyCSV && c == l.opts.quote:
				inQuote = !inQuote // doubled quotes close and open again
			case inQuote && c == l.opts.escape:
				if i+1 >= len(data) && !l.eof {
					goto more
				}
				if i+1 < len(data) && (data[i+1] == l.opts.quote || data[i+1] == l.opts.escape) {
					i++
				}
			case inQuote:
			case l.opts.format == copyText && c == '\\':
				if i+1 >= len(data) && !l.eof {
					goto more
				}
				i++
			case c == '\n' && l.eol != '\r':
				return l.end(i, 1)
			case c == '\r' && l.eol != '\n':
				if i+1 >= len(data) && !l.eof {
					goto more
				}
				if i+1 < len(data) && data[i+1] == '\n' {
					l.eol = 'c'
					return i, 2, nil
				}
				if l.eol == 'c' {
					return 0, 0, strayReturn(l.opts)
				}
				l.eol = '\r'
				return i, 1, nil
			}
		}
	more:
		ok, err := l.fill()
		if err != nil {
			return 0, 0, err
		}
		if !ok && i >= len(l.buf)-l.pos {
			if inQuote {
				l.number++
				l.line, l.reading = l.buf[l.pos:], false
				return 0, 0, pgerr.New(pgerr.BadCopyFileFormat, "unterminated CSV quoted field")
			}
			return min(i, len(l.buf)-l.pos), 0, nil
		}
	}
}

// plainEnd is findEnd for a line of text that is in the buffer, has no
// backslash, and ends as those before it with a newline.
func (l *lineReader) plainEnd() (n int, ok bool) {
	l.escapes = true
	if l.eol != '\n' || l.opts.format != copyText {
		return 0, false
	}
	data := l.buf[l.pos:]
	if n = bytes.IndexByte(data, '\n'); n < 0 {
		return 0, false
	}
	l.escapes = bytes.IndexByte(data[:n], '\\') >= 0
	return n, !l.escapes
}

func (l *lineReader) end(i, skip int) (int, int, error) {
	if l.eol == 'c' {
		return 0, 0, strayNewline(l.opts)
	}
	l.eol = '\n'
	return i, skip, nil
}

func strayReturn(o *copyOptions) error {
	if o.format == copyCSV {
		return pgerr.New(pgerr.BadCopyFileFormat, "unquoted carriage return found in data").WithHint("Use quoted CSV field to represent carriage return.")
	}
	return pgerr.New(pgerr.BadCopyFileFormat, "literal carriage return found in data").WithHint(`Use "\r" to represent carriage return.`)
}

func strayNewline(o *copyOptions) error {
	if o.format == copyCSV {
		return pgerr.New(pgerr.BadCopyFileFormat, "unquoted newline found in data").WithHint("Use quoted CSV field to represent newline.")
	}
	return pgerr.New(pgerr.BadCopyFileFormat, "literal newline found in data").WithHint(`Use "\n" to represent newline.`)
}

// badBytes names the first bytes of a line that are not UTF-8.
func badBytes(b []byte) error {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if b[i] == 0 || (r == utf8.RuneError && size <= 1) {
			text := ""
			for k := i; k < len(b) && k < i+sequence(b[i]); k++ {
				text += fmt.Sprintf(" 0x%02x", b[k])
			}
			return pgerr.New(pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "UTF8":%s`, text)
		}
		i += size
	}
	return nil
}

// sequence returns how long a UTF-8 sequence that starts with c claims to be.
func sequence(c byte) int {
	switch {
	case c >= 0xF0 && c < 0xF8:
		return 4
	case c >= 0xE0 && c < 0xF0:
		return 3
	case c >= 0xC0 && c < 0xE0:
		return 2
	}
	return 1
}

// split cuts the current line into fields.
func (l *lineReader) split() []copyField {
	l.fields, l.plain = l.fields[:0], l.plain[:0]
	if cap(l.plain) < len(l.line) {
		l.plain = make([]byte, 0, 2*len(l.line)) // never grows below: fields point into it
	}
	if l.opts.format == copyCSV {
		l.splitCSV()
	} else {
		l.splitText()
	}
	return l.fields
}

func (l *lineReader) splitText() {
	rest := l.line
	if !l.escapes && len(l.opts.null) > 0 && l.opts.null[0] == '\\' {
		for {
			end := bytes.IndexByte(rest, l.opts.delimiter)
			if end < 0 {
				l.fields = append(l.fields, copyField{text: rest})
				return
			}
			l.fields = append(l.fields, copyField{text: rest[:end]})
			rest = rest[end+1:]
		}
	}
	for {
		end, escaped := len(rest), false
		for i := 0; i < len(rest); i++ {
			if rest[i] == l.opts.delimiter {
				end = i
				break
			}
			if rest[i] == '\\' {
				escaped = true
				i++
			}
		}
		raw := rest[:end]
		f := copyField{text: raw, null: string(raw) == l.opts.null}
		if escaped && !f.null {
			f.text = l.unescape(raw)
		}
		l.fields = append(l.fields, f)
		if end >= len(rest) {
			return
		}
		rest = rest[end+1:]
	}
}

var copyEscapes = map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// unescape resolves the backslash sequences of a text field.
func (l *lineReader) unescape(raw []byte) []byte {
	start := len(l.plain)
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 >= len(raw) {
			l.plain = append(l.plain, c)
			continue
		}
		i++
		c = raw[i]
		switch {
		case c >= '0' && c <= '7':
			v := int(c - '0')
			for k := 0; k < 2 && i+1 < len(raw) && raw[i+1] >= '0' && raw[i+1] <= '7'; k++ {
				i++
				v = v*8 + int(raw[i]-'0')
			}
			c = byte(v)
		case c == 'x' && i+1 < len(raw) && hexDigit(raw[i+1]) >= 0:
			v := 0
			for k := 0; k < 2 && i+1 < len(raw) && hexDigit(raw[i+1]) >= 0; k++ {
				i++
				v = v*16 + hexDigit(raw[i])
			}
			c = byte(v)
		default:
			if e, ok := copyEscapes[c]; ok {
				c = e
			}
		}
		l.plain = append(l.plain, c)
	}
	return l.plain[start:len(l.plain):len(l.plain)]
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lineReader) splitCSV() {
	i, n := 0, len(l.line)
	for {
		start, f, inQuote := len(l.plain), copyField{}, false
		for ; i < n; i++ {
			c := l.line[i]
			if !inQuote {
				if c == l.opts.delimiter {
					break
				}
				if c == l.opts.quote {
					inQuote, f.quoted = true, true
					continue
				}
				l.plain = append(l.plain, c)
				continue
			}
			if c == l.opts.escape && i+1 < n && (l.line[i+1] == l.opts.escape || l.line[i+1] == l.opts.quote) {
				i++
				l.plain = append(l.plain, l.line[i])
				continue
			}
			if c == l.opts.quote {
				inQuote = false
				continue
			}
			l.plain = append(l.plain, c)
		}
		f.text = l.plain[start:len(l.plain):len(l.plain)]
		f.null = !f.quoted && string(f.text) == l.opts.null
		l.fields = append(l.fields, f)
		if i >= n {
			return
		}
		i++
	}
}
