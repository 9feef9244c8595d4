package parser

import (
	"strings"
	"unicode/utf8"
)

// MaxIdentifier is how many bytes of a name count: the grammar cuts longer ones.
const MaxIdentifier = 63

// LongName is a name that the grammar has cut.
type LongName struct{ Written, Cut string }

// LongNames lists the names in a text that are longer than MaxIdentifier.
func LongNames(sql string) []LongName {
	if len(sql) <= MaxIdentifier {
		return nil
	}
	var out []LongName
	s := NewScanner(sql)
	for t := s.Next(); t.Kind != EOF; t = s.Next() {
		if t.End-t.Start <= MaxIdentifier || t.Kind != Ident && t.Kind != QuotedIdent {
			continue
		}
		name := sql[t.Start:t.End]
		switch {
		case t.Kind == Ident:
			name = lower(name)
		case name[0] == '"':
			name = strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
		default:
			continue // U&"…" is read later, and cut without a word
		}
		if len(name) <= MaxIdentifier {
			continue
		}
		end := MaxIdentifier
		for !utf8.RuneStart(name[end]) {
			end--
		}
		out = append(out, LongName{name, name[:end]})
	}
	return out
}

// lower folds the letters that the scanner folds, those of ASCII.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
