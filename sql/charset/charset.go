// Package charset converts between UTF-8, in which the server keeps all text, and the
// encodings that clients may ask for (client_encoding). Names, numbers and tables are
// PostgreSQL's: sql/charset/internal/extract asks a server for every character. A table is
// unpacked when it is used for the first time.
//
//	Find, ByNumber   an encoding, nil when there is none of this name
//	Supported        can texts be converted?
//	Encode           from UTF-8; 22P05 where a character has no equivalent
//	Decode           to UTF-8; 22021 for bytes that are no text, 22P05
//	Reader           Decode for a stream
//
// A nil *Encoding is UTF-8 itself. SQL_ASCII means that the client takes what comes.
package charset

import (
	"fmt"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// form says how characters follow each other.
type form uint8

const (
	noForm form = iota // of encodings without a table
	oneByte
	eucJP
	euc // two bytes from a1 to fe
	eucTW
	sjis
	twoBytes // the second is not checked
	johab
	gb18030
)

// Encoding is one of PostgreSQL's.
type Encoding struct {
	Name   string
	Number int // as in pg_database.encoding
	MaxLen int // bytes of a character
	form   form
	table  func() *table
}

// UTF8 is the server's encoding, SQLASCII the absence of one.
var (
	UTF8     = Find("UTF8")
	SQLASCII = Find("SQL_ASCII")
)

func encoding(name string, max int, f form) *Encoding {
	return &Encoding{Name: name, MaxLen: max, form: f, table: lazyTable(name)}
}

// all are the encodings by their numbers.
var all = numbered([]*Encoding{
	encoding("SQL_ASCII", 1, noForm), encoding("EUC_JP", 3, eucJP), encoding("EUC_CN", 3, euc), encoding("EUC_KR", 3, euc),
	encoding("EUC_TW", 4, eucTW), encoding("EUC_JIS_2004", 3, noForm), encoding("UTF8", 4, noForm), encoding("MULE_INTERNAL", 4, noForm),
	encoding("LATIN1", 1, oneByte), encoding("LATIN2", 1, oneByte), encoding("LATIN3", 1, oneByte), encoding("LATIN4", 1, oneByte),
	encoding("LATIN5", 1, oneByte), encoding("LATIN6", 1, oneByte), encoding("LATIN7", 1, oneByte), encoding("LATIN8", 1, oneByte),
	encoding("LATIN9", 1, oneByte), encoding("LATIN10", 1, oneByte), encoding("WIN1256", 1, oneByte), encoding("WIN1258", 1, oneByte),
	encoding("WIN866", 1, oneByte), encoding("WIN874", 1, oneByte), encoding("KOI8R", 1, oneByte), encoding("WIN1251", 1, oneByte),
	encoding("WIN1252", 1, oneByte), encoding("ISO_8859_5", 1, oneByte), encoding("ISO_8859_6", 1, oneByte), encoding("ISO_8859_7", 1, oneByte),
	encoding("ISO_8859_8", 1, oneByte), encoding("WIN1250", 1, oneByte), encoding("WIN1253", 1, oneByte), encoding("WIN1254", 1, oneByte),
	encoding("WIN1255", 1, oneByte), encoding("WIN1257", 1, oneByte), encoding("KOI8U", 1, oneByte), encoding("SJIS", 2, sjis),
	encoding("BIG5", 2, twoBytes), encoding("GBK", 2, twoBytes), encoding("UHC", 2, twoBytes), encoding("GB18030", 4, gb18030),
	encoding("JOHAB", 3, johab), encoding("SHIFT_JIS_2004", 2, noForm),
})

func numbered(list []*Encoding) []*Encoding {
	for i, e := range list {
		e.Number = i
	}
	return list
}

// ServerMax is how many of the encodings, counted from the first, databases may have in PostgreSQL.
const ServerMax = 34

// aliases are other names, as plain leaves them.
var aliases = map[string]string{
	"abc": "WIN1258", "alt": "WIN866", "koi8": "KOI8R", "mskanji": "SJIS", "shiftjis": "SJIS", "tcvn": "WIN1258", "tcvn5712": "WIN1258",
	"unicode": "UTF8", "vscii": "WIN1258", "win": "WIN1251", "win932": "SJIS", "win936": "GBK", "win949": "UHC", "win950": "BIG5",
	"windows866": "WIN866", "windows874": "WIN874", "windows932": "SJIS", "windows936": "GBK", "windows949": "UHC", "windows950": "BIG5",
	"windows1250": "WIN1250", "windows1251": "WIN1251", "windows1252": "WIN1252", "windows1253": "WIN1253", "windows1254": "WIN1254",
	"windows1255": "WIN1255", "windows1256": "WIN1256", "windows1257": "WIN1257", "windows1258": "WIN1258",
	"iso88591": "LATIN1", "iso88592": "LATIN2", "iso88593": "LATIN3", "iso88594": "LATIN4", "iso88599": "LATIN5", "iso885910": "LATIN6",
	"iso885913": "LATIN7", "iso885914": "LATIN8", "iso885915": "LATIN9", "iso885916": "LATIN10",
}

var byName = func() map[string]*Encoding {
	m := map[string]*Encoding{}
	for _, e := range all {
		m[plain(e.Name)] = e
	}
	for alias, name := range aliases {
		m[alias] = m[plain(name)]
	}
	return m
}()

// plain is a name without case and punctuation.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// maxName is the longest name that is looked at.
const maxName = 63

// Find returns the encoding of a name, whose case and punctuation do not matter.
func Find(name string) *Encoding {
	if len(name) > maxName {
		return nil
	}
	return byName[plain(name)]
}

// ByNumber returns the encoding of a number.
func ByNumber(n int) *Encoding {
	if n < 0 || n >= len(all) {
		return nil
	}
	return all[n]
}

// Supported reports whether texts can be converted from and to the encoding.
func (e *Encoding) Supported() bool {
	return e == nil || e == UTF8 || e == SQLASCII || e.form != noForm
}

// Identity reports whether texts stay as they are.
func (e *Encoding) Identity() bool { return e == nil || e == UTF8 || e == SQLASCII }

// maxShown is how many bytes a message shows.
const maxShown = 8

func hexBytes(b []byte) string {
	b = b[:min(len(b), maxShown)]
	parts := make([]string, len(b))
	for i, c := range b {
		parts[i] = fmt.Sprintf("0x%02x", c)
	}
	return strings.Join(parts, " ")
}

func invalid(name string, b []byte) error {
	return pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"%s\": %s", name, hexBytes(b))
}

func untranslatable(b []byte, from, to string) error {
	return pgerr.New(pgerr.UntranslatableCharacter, "character with byte sequence %s in encoding \"%s\" has no equivalent in encoding \"%s\"",
		hexBytes(b), from, to)
}
