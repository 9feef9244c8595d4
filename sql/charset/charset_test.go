package charset

import (
	"bytes"
	"encoding/hex"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/omendb/omendb/sql/pgerr"
)

func TestEveryCharacterSurvives(t *testing.T) {
	for _, e := range all {
		if e.form == noForm {
			continue
		}
		x := e.table()
		if len(x.fromRune) == 0 || len(x.toRune) == 0 {
			t.Errorf("%s has no characters", e.Name)
		}
		for r, code := range x.fromRune {
			b, err := e.Encode(nil, []byte(string(r)))
			if err != nil {
				t.Fatalf("%s: %U: %v", e.Name, r, err)
			}
			if x.toRune[code] != r { // several characters may be written alike
				continue
			}
			back, err := e.Decode(b)
			if err != nil || string(back) != string(r) {
				t.Fatalf("%s: %U is %x, which is %q, %v", e.Name, r, b, back, err)
			}
			if n, err := e.Count(b); n != 1 || err != nil {
				t.Fatalf("%s: %x has %d characters, %v", e.Name, b, n, err)
			}
		}
	}
}

// TestKnownTexts compares with what convert_to gives in PostgreSQL.
func TestKnownTexts(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"sjis", "日本語 あ ｱ", "93fa967b8cea2082a020b1"}, {"euc-jp", "日本語", "c6fccbdcb8ec"}, {"EUC_KR", "한글", "c7d1b1db"}, {"gbk", "中文", "d6d0cec4"},
		{"gb18030", "中文😀", "d6d0cec49439fc36"}, {"big5", "中文", "a4a4a4e5"}, {"win", "Привет", "cff0e8e2e5f2"}, {"koi8", "Привет", "f0d2c9d7c5d4"},
		{"latin-9", "€", "a4"}, {"windows1252", "€", "80"}, {"EUC_TW", "中文", "c4e3c5c6"}, {"latin1", "plain", "706c61696e"},
		{"utf8", "é", "c3a9"}, {"sql_ascii", "é", "c3a9"},
	} {
		got, err := Find(c.name).Encode(nil, []byte(c.text))
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s of %q: %x, %v, not %s", c.name, c.text, got, err, c.want)
		}
		back, err := Find(c.name).Decode(got)
		if err != nil || string(back) != c.text {
			t.Errorf("%s: %q became %q, %v", c.name, c.text, back, err)
		}
	}
}

func TestBadBytes(t *testing.T) {
	for _, c := range []struct{ name, bytes, code, message string }{
		{"euc_jp", "a4", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "EUC_JP": 0xa4`},
		{"euc_jp", "a480", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "EUC_JP": 0xa4 0x80`},
		{"euc_jp", "8fa1", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "EUC_JP": 0x8f 0xa1`},
		{"euc_jp", "8e20", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "EUC_JP": 0x8e 0x20`},
		{"euc_tw", "8fa1a1", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "EUC_TW": 0x8f 0xa1 0xa1`},
		{"sjis", "8120", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "SJIS": 0x81 0x20`},
		{"gb18030", "81308130ff", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "GB18030": 0xff`},
		{"gb18030", "81302030", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "GB18030": 0x81 0x30 0x20 0x30`},
		{"johab", "9020", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "JOHAB": 0x90 0x20`},
		{"gbk", "ff00", pgerr.CharacterNotInRepertoire, `invalid byte sequence for encoding "GBK": 0xff 0x00`},
		{"win1252", "81", pgerr.UntranslatableCharacter, `character with byte sequence 0x81 in encoding "WIN1252" has no equivalent in encoding "UTF8"`},
	} {
		raw, _ := hex.DecodeString(c.bytes)
		_, err := Find(c.name).Decode(raw)
		if e := pgerr.From(err); err == nil || e.Code != c.code || e.Message != c.message {
			t.Errorf("%s %s: %v", c.name, c.bytes, err)
		}
	}
	if _, err := Find("latin1").Encode(nil, []byte("a€")); pgerr.From(err).Message != `character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"` {
		t.Error(err)
	}
	if s := Find("latin1").EncodeLossy("é€"); s != "\xe9?" {
		t.Errorf("%q", s)
	}
	if err := Find("latin1").Verify([]byte{0}); err == nil {
		t.Error("a zero byte is text")
	}
}

func TestNames(t *testing.T) {
	if Find(strings.Repeat("-", maxName-4)+"utf8") != UTF8 || Find(strings.Repeat("-", maxName-3)+"utf8") != nil || Find("nosuch") != nil {
		t.Error("names")
	}
	if ByNumber(6) != UTF8 || ByNumber(-1) != nil || ByNumber(len(all)) != nil || ByNumber(8).Name != "LATIN1" {
		t.Error("numbers")
	}
	var none *Encoding
	if !none.Supported() || !none.Identity() || Find("mule_internal").Supported() || !Find("sjis").Supported() {
		t.Error("supported")
	}
}

func TestStreams(t *testing.T) {
	e := Find("gb18030")
	text := strings.Repeat("中文 😀 plain ", 5000)
	raw, err := e.Encode(nil, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, src := range []io.Reader{bytes.NewReader(raw), iotest.OneByteReader(bytes.NewReader(raw))} {
		got, err := io.ReadAll(NewReader(e, src))
		if err != nil || string(got) != text {
			t.Fatal(len(got), err)
		}
	}
	if _, err := io.ReadAll(NewReader(e, bytes.NewReader(raw[:1]))); err == nil {
		t.Error("half a character is text")
	}
	var out bytes.Buffer
	w := NewWriter(e, &out)
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil || !bytes.Equal(out.Bytes(), raw) {
		t.Error(n, err)
	}
	if _, err := NewWriter(Find("latin1"), &out).Write([]byte("中")); err == nil {
		t.Error("latin1 has Chinese")
	}
	if NewReader(nil, &out) != io.Reader(&out) || NewWriter(UTF8, &out) != io.Writer(&out) {
		t.Error("UTF-8 is converted")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("gb18030", []byte{0x94, 0x39, 0xfc, 0x36, 0x81})
	f.Add("euc_tw", []byte{0x8e, 0xa1, 0xa1})
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		e := Find(name)
		if e == nil || !e.Supported() {
			return
		}
		text, err := e.Decode(raw)
		if err != nil || e.Identity() {
			return
		}
		if _, err := e.Count(bytes.ReplaceAll(raw, []byte{0}, []byte{1})); err != nil && !bytes.Contains(raw, []byte{0}) {
			t.Errorf("%x is text of %s when it is converted, but not when it is counted: %v", raw, e.Name, err)
		}
		if n := bytes.Count(text, []byte("\ufffd")); n > len(raw) {
			t.Errorf("%x gives %q", raw, text)
		}
	})
}
