package parser

import (
	"errors"
	"strings"
	"unicode/utf8"

	pg "github.com/pganalyze/pg_query_go/v6"

	"github.com/omendb/omendb/sql/pgerr"
)

// Statement is one statement of a query string.
type Statement struct {
	Tree   *pg.Node
	Text   string // the statement itself, without the surrounding white space
	Source string // the whole query string, which positions refer to
	Start  int    // byte offset of Text in Source
	End    int
}

// running bounds how many texts are inside the grammar at once: each holds an
// operating system thread, and none can be cancelled.
var running = make(chan struct{}, MaxConcurrent)

// Parse parses a query string of any number of statements.
func Parse(sql string) ([]Statement, error) {
	if err := Check(sql); err != nil {
		return nil, err
	}
	running <- struct{}{}
	tree, err := parseTree(sql)
	<-running
	if err != nil {
		return nil, grammarError(err)
	}
	out := make([]Statement, 0, len(tree.Stmts))
	for _, raw := range tree.Stmts {
		start := int(raw.StmtLocation)
		end := len(sql)
		if raw.StmtLen > 0 {
			end = start + int(raw.StmtLen)
		}
		start += len(sql[start:end]) - len(strings.TrimLeft(sql[start:end], " \t\r\n\f\v"))
		end = start + len(strings.TrimRight(sql[start:end], " \t\r\n\f\v;"))
		out = append(out, Statement{Tree: raw.Stmt, Text: sql[start:end], Source: sql, Start: start, End: end})
	}
	return out, nil
}

// Position turns a byte offset in sql into the position of an error: characters
// counted from 1, or 0 when there is none.
func Position(sql string, offset int) int {
	if offset < 0 || offset > len(sql) {
		return 0
	}
	return utf8.RuneCountInString(sql[:offset]) + 1
}

// syntaxError is an error that the grammar reported.
type syntaxError struct {
	message string
	cursor  int    // character, from 1
	file    string // of PostgreSQL's source that reported it
}

func (e *syntaxError) Error() string { return e.message }

// grammarError gives the grammar's error its SQLSTATE, which libpg_query drops.
func grammarError(err error) error {
	var s *syntaxError
	if !errors.As(err, &s) {
		if strings.Contains(err.Error(), "recursion depth") {
			return tooDeep()
		}
		return pgerr.New(pgerr.ProgramLimitExceeded, "statement is too complex")
	}
	return pgerr.New(s.code(), "%s", s.message).At(s.cursor)
}

// codesByMessage are the errors of scanner and grammar that are not plain syntax errors.
var codesByMessage = []struct{ part, code string }{
	{"invalid Unicode escape", pgerr.InvalidEscapeSequence},
	{"unsafe use of \\'", pgerr.NonstandardUseOfEscapeCharacter},
	{"invalid Unicode surrogate pair", pgerr.SyntaxError},
	{"invalid byte sequence", pgerr.CharacterNotInRepertoire},
	{"not yet implemented", pgerr.FeatureNotSupported},
	{"is not implemented", pgerr.FeatureNotSupported},
	{"not supported", pgerr.FeatureNotSupported},
	{"is no longer supported", pgerr.FeatureNotSupported},
	{"is only supported for ON DELETE actions", pgerr.FeatureNotSupported},
	{"cannot be marked", pgerr.FeatureNotSupported},
	{"must not be", pgerr.SyntaxError},
	{"frame start cannot", pgerr.WindowingError},
	{"frame end cannot", pgerr.WindowingError},
	{"frame starting from", pgerr.WindowingError},
	{"interval precision specified twice", pgerr.SyntaxError},
	{"unrecognized role option", pgerr.SyntaxError},
	{"precision for type float must", pgerr.InvalidParameterValue},
	{"stack depth limit", pgerr.StatementTooComplex},
}

// code is the error's SQLSTATE. An escape in U&” is read behind the scanner, where PostgreSQL calls it a syntax error.
func (e *syntaxError) code() string {
	if strings.HasSuffix(e.file, "parser.c") {
		return pgerr.SyntaxError
	}
	for _, c := range codesByMessage {
		if strings.Contains(e.message, c.part) {
			return c.code
		}
	}
	return pgerr.SyntaxError
}
