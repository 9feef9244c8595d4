package parser

import (
	"strconv"
	"strings"
)

// Literal is a constant that Lift took out of a text.
type Literal struct {
	Start, End int    // its place in the original text
	Kind       Kind   // Integer, Float or String
	Value      string // digits as written, or the string's value
}

// maxLifted bounds the literals of a text that is worth lifting.
const maxLifted = 512

// Lift replaces the numbers and plain strings of a single statement by marks, so that
// statements that differ in them only have one key in the plan cache. Which of the literals may
// really vary is for the binder to say (plan.Const.Free); a cached plan is good for
// another text if all others are equal. ok is false when the text is no single
// plain statement.
//
// The key is no SQL: a lifted integer is ?i4 or ?i8, a decimal ?n, a string ?s, each being
// what decides the literal's type; white space and comments are normalised.
func Lift(sql string) (key string, literals []Literal, ok bool) {
	var b strings.Builder
	b.Grow(len(sql))
	s := NewScanner(sql)
	prevEnd := -1
	for {
		t := s.Next()
		if t.Kind == EOF {
			return b.String(), literals, true
		}
		text := sql[t.Start:t.End]
		switch t.Kind {
		case Invalid:
			return "", nil, false
		case Punct:
			if text == ";" {
				if s.Next().Kind == EOF {
					return b.String(), literals, true
				}
				return "", nil, false
			}
		}
		if prevEnd >= 0 && prevEnd != t.Start {
			b.WriteByte(' ')
		}
		prevEnd = t.End
		mark, value, kind := liftable(t, text)
		if mark == "" {
			b.WriteString(text)
			continue
		}
		if len(literals) >= maxLifted {
			return "", nil, false
		}
		literals = append(literals, Literal{Start: t.Start, End: t.End, Kind: kind, Value: value})
		b.WriteString(mark)
	}
}

// liftable returns the mark for a literal, "" for any other token.
func liftable(t Token, text string) (mark, value string, kind Kind) {
	switch t.Kind {
	case Integer:
		v, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil || len(text) > 1 && text[0] == '0':
			return "", "", 0
		case v <= 1<<31-1:
			return "?i4", text, Integer
		}
		return "?i8", text, Integer
	case Float:
		return "?n", text, Float
	case String:
		if strings.Contains(text[1:len(text)-1], "'\n") || strings.ContainsAny(text, "\r\n") {
			return "", "", 0 // perhaps a string in several parts
		}
		return "?s", strings.ReplaceAll(text[1:len(text)-1], "''", "'"), String
	}
	return "", "", 0
}
