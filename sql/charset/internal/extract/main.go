// Command extract asks a PostgreSQL 15 server which characters each encoding has, and
// writes the tables of package charset.
//
//	go run ./sql/charset/internal/extract -dsn postgres://postgres@localhost/postgres
package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// setup makes functions that try every character, and every sequence of bytes.
const setup = `
CREATE FUNCTION pg_temp.forward(enc name, lo int, hi int) RETURNS TABLE (r int, code bytea) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN lo..hi LOOP
		CONTINUE WHEN i BETWEEN 55296 AND 57343;
		BEGIN r := i; code := convert_to(chr(i), enc); RETURN NEXT; EXCEPTION WHEN OTHERS THEN NULL; END;
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.back(enc name, prefix bytea, n int) RETURNS TABLE (r int, code bytea) LANGUAGE plpgsql AS $$
DECLARE t text;
BEGIN
	FOR a IN 128..255 LOOP
		FOR c IN (CASE n WHEN 1 THEN 255 ELSE 48 END)..255 LOOP
			code := prefix || decode(lpad(to_hex(a), 2, '0') || CASE n WHEN 1 THEN '' ELSE lpad(to_hex(c), 2, '0') END, 'hex');
			BEGIN
				t := convert_from(code, enc);
				IF length(t) = 1 THEN r := ascii(t); RETURN NEXT; END IF;
			EXCEPTION WHEN OTHERS THEN NULL; END;
		END LOOP;
	END LOOP;
END $$`

var single = strings.Fields(`LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7 LATIN8 LATIN9 LATIN10 ISO_8859_5 ISO_8859_6 ISO_8859_7 ISO_8859_8
	WIN1250 WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258 WIN866 WIN874 KOI8R KOI8U`)

// double are the encodings with sequences of two bytes, and the first bytes of longer ones.
var double = map[string][]string{
	"EUC_JP": {"", "8f"}, "SJIS": {""}, "EUC_KR": {""}, "EUC_CN": {""}, "BIG5": {""}, "GBK": {""}, "UHC": {""}, "JOHAB": {""}, "GB18030": {""},
	"EUC_TW": {"", "8ea1", "8ea2", "8ea3", "8ea4", "8ea5", "8ea6", "8ea7"},
}

// entry is one pair; bit 0 of dir: from the encoding to Unicode, bit 1: back.
type entry struct {
	code, r uint32
	dir     uint64
}

func main() {
	dsn := flag.String("dsn", "", "PostgreSQL 15 server")
	dir := flag.String("dir", "sql/charset/data", "folder to write to")
	flag.Parse()
	if err := run(*dsn, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "extract:", err)
		os.Exit(1)
	}
}

func run(dsn, dir string) error {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, setup).ReadAll(); err != nil {
		return err
	}
	names := slices.Clone(single)
	for n := range double {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		found := map[[2]uint32]uint64{}
		ask := func(dir uint64, query string) error {
			for _, res := range must(conn.Exec(ctx, query).ReadAll()) {
				for _, row := range res.Rows {
					r, _ := strconv.ParseUint(string(row[0]), 10, 32)
					b, _ := hex.DecodeString(string(row[1]))
					code := uint32(0)
					for _, c := range b {
						code = code<<8 | uint32(c)
					}
					found[[2]uint32{code, uint32(r)}] |= dir
				}
			}
			return nil
		}
		if err := ask(2, "SELECT r, encode(code, 'hex') FROM pg_temp.forward('"+n+"', 128, 65535)"); err != nil {
			return err
		}
		if err := ask(1, "SELECT r, encode(code, 'hex') FROM pg_temp.back('"+n+"', '', 1)"); err != nil {
			return err
		}
		for _, prefix := range double[n] {
			if err := ask(1, "SELECT r, encode(code, 'hex') FROM pg_temp.back('"+n+"', '\\x"+prefix+"', 2)"); err != nil {
				return err
			}
		}
		if n == "EUC_TW" || n == "BIG5" {
			if err := ask(2, "SELECT r, encode(code, 'hex') FROM pg_temp.forward('"+n+"', 131072, 196607)"); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, n+".gz"), pack(n, found), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pack writes pairs in the order of codes as differences to the ones before.
func pack(name string, found map[[2]uint32]uint64) []byte {
	var list []entry
	for k, dir := range found {
		if name == "GB18030" && k[0] > 0xffffff { // sequences of four bytes go both ways
			dir = 3
		}
		list = append(list, entry{k[0], k[1], dir})
	}
	slices.SortFunc(list, func(a, b entry) int { return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.r, b.r)) })
	var raw []byte
	var last entry
	for _, e := range list {
		raw = binary.AppendUvarint(raw, uint64(e.code-last.code)<<2|e.dir)
		raw = binary.AppendVarint(raw, int64(e.r)-int64(last.r))
		last = e
	}
	var out bytes.Buffer
	z := must(gzip.NewWriterLevel(&out, gzip.BestCompression))
	must(z.Write(raw))
	if err := z.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}
