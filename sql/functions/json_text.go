package functions

import (
	"bytes"

	"github.com/omendb/omendb/sql/types"
)

// A json value is kept as its text, which has been checked when it came in; these
// functions walk over that text and give parts of it back byte for byte.

// jsonSpace returns the offset of the next byte that is no white space.
func jsonSpace(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// jsonString returns the offset after the string that starts at i.
func jsonString(s []byte, i int) int {
	for i++; s[i] != '"'; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// jsonValue returns the offset after the value that starts at i.
func jsonValue(s []byte, i int) int {
	switch s[i] {
	case '"':
		return jsonString(s, i)
	case '{', '[':
		depth := 0
		for ; ; i++ {
			switch s[i] {
			case '"':
				i = jsonString(s, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	}
	for i < len(s) && bytes.IndexByte([]byte(" \t\n\r,]}"), s[i]) < 0 {
		i++
	}
	return i
}

// jsonKind returns what a json text is.
func jsonKind(s []byte) types.JSONKind {
	switch s[jsonSpace(s, 0)] {
	case '{':
		return types.JSONObject
	case '[':
		return types.JSONArray
	case '"':
		return types.JSONString
	case 't':
		return types.JSONTrue
	case 'f':
		return types.JSONFalse
	case 'n':
		return types.JSONNull
	}
	return types.JSONNumber
}

// jsonElements calls f with the elements of an array until it returns false.
func jsonElements(s []byte, f func(value []byte) bool) {
	for i := jsonSpace(s, jsonSpace(s, 0)+1); s[i] != ']'; {
		end := jsonValue(s, i)
		if !f(s[i:end:end]) {
			return
		}
		if i = jsonSpace(s, end); s[i] == ',' {
			i = jsonSpace(s, i+1)
		}
	}
}

// jsonMembers calls f with the members of an object until it returns false; the key is
// a JSON string, quotes and all.
func jsonMembers(s []byte, f func(key, value []byte) bool) {
	for i := jsonSpace(s, jsonSpace(s, 0)+1); s[i] != '}'; {
		end := jsonString(s, i)
		key := s[i:end]
		i = jsonSpace(s, jsonSpace(s, end)+1) // after the colon
		end = jsonValue(s, i)
		if !f(key, s[i:end:end]) {
			return
		}
		if i = jsonSpace(s, end); s[i] == ',' {
			i = jsonSpace(s, i+1)
		}
	}
}

// stringTaker is a JSON handler that takes one string.
type stringTaker struct {
	types.JSONHandler
	text string
}

// String takes in the string.
func (h *stringTaker) String(s string) error { h.text = s; return nil }

// unquoteJSON returns the text of a JSON string.
func unquoteJSON(s []byte) (string, error) {
	if bytes.IndexByte(s, '\\') < 0 {
		return string(s[1 : len(s)-1]), nil
	}
	h := &stringTaker{}
	err := types.ParseJSON(string(s), h)
	return h.text, err
}
