package charset

import (
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// The bytes that begin EUC characters of other lengths.
const (
	ss2 = 0x8e
	ss3 = 0x8f
)

// length returns how many bytes the character has that b begins with.
func (e *Encoding) length(b []byte) int {
	c := b[0]
	switch {
	case c < 0x80 || e.form == oneByte || e.form == sjis && c >= 0xa1 && c <= 0xdf:
		return 1
	case e.form == gb18030:
		if len(b) > 1 && b[1] >= 0x30 && b[1] <= 0x39 {
			return 4
		}
	case c == ss2 && e.form == eucTW:
		return 4
	case c == ss3 && (e.form == eucJP || e.form == eucTW || e.form == johab || e.form == euc && e.Name != "EUC_CN"):
		return 3
	}
	return 2
}

func inEUC(list ...byte) bool {
	for _, c := range list {
		if c < 0xa1 || c == 0xff {
			return false
		}
	}
	return true
}

// valid reports whether the bytes of one character, which is not ASCII, are well-formed.
func (e *Encoding) valid(b []byte) bool {
	switch e.form {
	case eucJP:
		switch b[0] {
		case ss2:
			return b[1] >= 0xa1 && b[1] <= 0xdf
		case ss3:
			return inEUC(b[1:]...)
		}
		return inEUC(b...)
	case euc:
		return len(b) == 2 && inEUC(b...)
	case eucTW:
		switch b[0] {
		case ss2:
			return b[1] >= 0xa1 && b[1] <= 0xa7 && inEUC(b[2:]...)
		case ss3:
			return false
		}
		return inEUC(b[1])
	case sjis:
		head := b[0] >= 0x81 && b[0] <= 0x9f || b[0] >= 0xe0 && b[0] <= 0xfc
		return len(b) == 1 || head && (b[1] >= 0x40 && b[1] <= 0x7e || b[1] >= 0x80 && b[1] <= 0xfc)
	case johab:
		return inEUC(b[1:]...)
	case gb18030:
		if b[0] < 0x81 || b[0] > 0xfe {
			return false
		}
		if len(b) == 4 {
			return b[2] >= 0x81 && b[2] <= 0xfe && b[3] >= 0x30 && b[3] <= 0x39
		}
		return b[1] >= 0x40 && b[1] <= 0x7e || b[1] >= 0x80 && b[1] <= 0xfe
	case twoBytes:
		return b[1] != 0
	}
	return true
}

// ascii reports whether text is the same in all encodings.
func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Encode appends UTF-8 text in the encoding to dst.
func (e *Encoding) Encode(dst, text []byte) ([]byte, error) {
	if e.Identity() || ascii(text) {
		return append(dst, text...), nil
	}
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		r, n := utf8.DecodeRune(text)
		code, ok := e.code(r)
		if !ok {
			return dst, untranslatable(text[:n], "UTF8", e.Name)
		}
		for shift := 24; shift >= 0; shift -= 8 {
			if c := code >> shift; c != 0 {
				dst = append(dst, byte(c))
			}
		}
		text = text[n:]
	}
	return dst, nil
}

// EncodeLossy is Encode for texts that have to arrive: what has no equivalent becomes a
// question mark.
func (e *Encoding) EncodeLossy(text string) string {
	out, err := e.Encode(nil, []byte(text))
	if err == nil {
		return string(out)
	}
	out = out[:0]
	for _, r := range text {
		if c, err := e.Encode(out, []byte(string(r))); err == nil {
			out = c
		} else {
			out = append(out, '?')
		}
	}
	return string(out)
}

// Decode returns text of the encoding as UTF-8: the same bytes where nothing changes. Text
// that claims to be UTF-8 is for others to check.
func (e *Encoding) Decode(text []byte) ([]byte, error) {
	if e.Identity() || ascii(text) {
		return text, nil
	}
	out, rest, err := e.decode(make([]byte, 0, len(text)+len(text)/2), text)
	if err == nil && len(rest) > 0 {
		err = invalid(e.Name, rest)
	}
	return out, err
}

// decode appends what is whole, and returns the beginning of a character at the end.
func (e *Encoding) decode(dst, text []byte) (out, rest []byte, err error) {
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		if e.form == gb18030 && len(text) == 1 {
			return dst, text, nil
		}
		n := e.length(text)
		if n > len(text) {
			return dst, text, nil
		}
		if !e.valid(text[:n]) {
			return dst, nil, invalid(e.Name, text[:n])
		}
		r, ok := e.rune(text[:n])
		if !ok {
			return dst, nil, untranslatable(text[:n], e.Name, "UTF8")
		}
		dst, text = utf8.AppendRune(dst, r), text[n:]
	}
	return dst, nil, nil
}

// Count returns how many characters a text in the encoding has, which it checks.
func (e *Encoding) Count(text []byte) (int, error) {
	n := 0
	for len(text) > 0 {
		size := 1
		if text[0] >= utf8.RuneSelf {
			size = e.length(text)
			if size > len(text) || !e.valid(text[:size]) {
				return 0, invalid(e.Name, text[:min(size, len(text))])
			}
		} else if text[0] == 0 {
			return 0, invalid(e.Name, text[:1])
		}
		n++
		text = text[size:]
	}
	return n, nil
}

// Verify refuses bytes that are no text in the encoding, zero bytes among them.
func (e *Encoding) Verify(text []byte) error {
	_, err := e.Count(text)
	return err
}

// Unsupported is the error of a conversion that there is not.
func Unsupported(name string) *pgerr.Error {
	return pgerr.New(pgerr.FeatureNotSupported, "invalid value for parameter \"client_encoding\": \"%s\"", name)
}
