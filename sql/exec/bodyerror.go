package exec

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// errorOfBody is an error in the body of an SQL function that query defines, as PostgreSQL tells it: a place in the body
// becomes the place in the query where the body is written, or else goes with the body's text; other errors say whose body it is.
func errorOfBody(err error, name, body, query string) error {
	e := *pgerr.From(err)
	if e.Position == 0 {
		return inFunction(&e, fmt.Sprintf("SQL function \"%s\"", name))
	}
	if at := placeInLiteral(body, query, e.Position); at > 0 {
		e.Position = at
		return &e
	}
	return withinText(&e, body)
}

// withinText makes the place of an error one in a text that the client has not sent.
func withinText(e *pgerr.Error, text string) *pgerr.Error {
	if e.Position > 0 {
		e.InternalPosition, e.InternalQuery, e.Position = e.Position, text, 0
	}
	return e
}

// inFunction adds a line to the context of an error.
func inFunction(e *pgerr.Error, line string) *pgerr.Error {
	if e.Where != "" {
		line = e.Where + "\n" + line
	}
	e.Where = line
	return e
}

// placeInLiteral finds the one literal of a query that is the body, and returns where in the query the body's character at
// stands: counted from 1, or 0 when there is no such literal or more than one. It follows match_prosrc_to_query of PostgreSQL.
func placeInLiteral(body, query string, at int) int {
	found := 0
	for i := 0; i < len(query); i++ {
		place := 0
		switch query[i] {
		case '$':
			if rest := query[i+1:]; strings.HasPrefix(rest, body) && strings.HasPrefix(rest[len(body):], "$") {
				place = utf8.RuneCountInString(query[:i+1]) + at
			}
		case '\'':
			if n := placeInQuoted(body, query[i+1:], at); n > 0 {
				place = utf8.RuneCountInString(query[:i+1]) + n
			}
		}
		if place > 0 && found > 0 {
			return 0
		}
		found = max(found, place)
	}
	return found
}

// placeInQuoted is placeInLiteral for the text behind an opening quote, where quotes are doubled.
func placeInQuoted(body, literal string, at int) int {
	place, chars := at, 0
	for _, r := range body {
		if chars++; r == '\'' {
			if !strings.HasPrefix(literal, "''") {
				return 0
			}
			if literal = literal[1:]; chars < at {
				place++
			}
		}
		got, n := utf8.DecodeRuneInString(literal)
		if got != r {
			return 0
		}
		literal = literal[n:]
	}
	if !strings.HasPrefix(literal, "'") || strings.HasPrefix(literal, "''") {
		return 0
	}
	return place
}
