//go:build !cgo

package parser

import (
	"container/list"
	"errors"
	"sync"
	_ "unsafe" // for go:linkname

	pg "github.com/pganalyze/pg_query_go/v6"
	wasm "github.com/wasilibs/go-pgquery"
	wparser "github.com/wasilibs/go-pgquery/parser"
)

// The library keeps its instances in a pool and puts one back even after a
// failure inside it, which leaves the instance's memory in an unknown state.
// It offers no way to drop one, so we reach for the pool itself.
//
//go:linkname wasmPool github.com/wasilibs/go-pgquery/parser.abiPool
var wasmPool *list.List

//go:linkname wasmPoolMu github.com/wasilibs/go-pgquery/parser.abiPoolMu
var wasmPoolMu sync.Mutex

// errGrammarFailed tells that the grammar itself broke down on a text.
var errGrammarFailed = errors.New("parser failed on this statement")

// parseTree runs the grammar in WebAssembly.
func parseTree(sql string) (tree *pg.ParseResult, err error) {
	defer func() {
		if r := recover(); r != nil {
			discardInstances()
			tree, err = nil, errGrammarFailed
		}
	}()
	tree, err = wasm.Parse(sql)
	if err != nil {
		var e *wparser.Error
		if errors.As(err, &e) {
			return nil, &syntaxError{message: e.Message, cursor: e.Cursorpos, file: e.Filename}
		}
		return nil, err
	}
	return tree, nil
}

// discardInstances empties the pool, the failed instance included; those that
// are in use come back to it later.
func discardInstances() {
	wasmPoolMu.Lock()
	wasmPool.Init()
	wasmPoolMu.Unlock()
}
