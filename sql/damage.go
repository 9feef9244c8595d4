package sql

import (
	"errors"
	"fmt"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/sql/pgerr"
)

// nameDamage puts the name of the table or index into an error that tells of
// damaged data, for as long as the transaction's catalog is there.
func (x *Session) nameDamage(err error) {
	var e *pgerr.Error
	if !errors.As(err, &e) || e.Store == 0 {
		return
	}
	id := e.Store
	e.Store = 0
	view := x.view
	if view == nil {
		view = x.srv.opts.Catalog.View(nil, x.database)
	}
	r, index := view.StoreOwner(id)
	if r == nil {
		return
	}
	e.Table = r.Name
	if s := view.Schema(r.Schema); s != nil {
		e.Schema = s.Name
	}
	what := fmt.Sprintf("table \"%s\"", r.Name)
	if index != nil {
		what = fmt.Sprintf("index \"%s\" of %s", index.Name, what)
	}
	e.Message = what + " is damaged: " + e.Message
	x.srv.opts.Log.Error().Str("event", string(event.Corruption)).Str("schema", e.Schema).Str("table", e.Table).Msg(e.Message)
	if e.Hint == "" {
		e.Hint = "Restore a backup, or drop what is damaged; omendb verify lists all of it."
	}
}
