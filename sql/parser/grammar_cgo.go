//go:build cgo

package parser

import (
	"errors"

	pg "github.com/pganalyze/pg_query_go/v6"
	cparser "github.com/pganalyze/pg_query_go/v6/parser"
)

// parseTree runs the grammar in C.
func parseTree(sql string) (*pg.ParseResult, error) {
	tree, err := pg.Parse(sql)
	if err != nil {
		var e *cparser.Error
		if errors.As(err, &e) {
			return nil, &syntaxError{message: e.Message, cursor: e.Cursorpos, file: e.Filename}
		}
		return nil, err
	}
	return tree, nil
}
