package sql

import (
	"context"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/planner"
)

// sessionBinder gives the executor what it needs of the layers before it. The
// planner's environment is made when something is asked, which most statements never do.
type sessionBinder struct {
	x   *Session
	ctx context.Context
}

var _ exec.DDLBinder = sessionBinder{}

func (b sessionBinder) stored() planner.Stored {
	return planner.Stored{Env: b.x.plannerEnv(b.ctx, nil)}
}

// User implements exec.DDLBinder.
func (b sessionBinder) User() catalog.OID { return b.x.user }

// SearchPath implements exec.DDLBinder.
func (b sessionBinder) SearchPath() []catalog.OID { return b.x.searchPath() }

// DecodeExpr implements exec.Binder.
func (b sessionBinder) DecodeExpr(encoded []byte) (plan.Expr, error) {
	return b.stored().DecodeExpr(encoded)
}

// Deparse implements exec.DDLBinder.
func (b sessionBinder) Deparse(e plan.Expr, table *catalog.Relation) string {
	return b.stored().Deparse(e, table)
}

// Parse implements exec.DDLBinder.
func (b sessionBinder) Parse(text string) (plan.RawExpr, error) { return b.stored().Parse(text) }

// DecodeQuery implements exec.DDLBinder.
func (b sessionBinder) DecodeQuery(encoded []byte) (*plan.Query, error) {
	return b.stored().DecodeQuery(encoded)
}

// Plan implements exec.DDLBinder.
func (b sessionBinder) Plan(q *plan.Query) (*plan.Statement, error) { return b.stored().Plan(q) }

// Prepared implements exec.DDLBinder.
func (b sessionBinder) Prepared(e *plan.Execute) (*plan.Query, error) { return b.stored().Prepared(e) }

// Element implements exec.DDLBinder.
func (b sessionBinder) Element(raw plan.RawExpr, schema catalog.OID) (plan.Utility, error) {
	return b.stored().Element(raw, schema)
}

// Store implements exec.DDLBinder.
func (b sessionBinder) Store(r plan.StoredRequest) (*plan.Stored, error) { return b.stored().Store(r) }

// FunctionBody implements exec.DDLBinder.
func (b sessionBinder) FunctionBody(f *catalog.Function, raw plan.RawExpr) ([]byte, []catalog.Dependency, error) {
	return b.stored().FunctionBody(f, raw)
}

// Routine implements exec.RoutineBinder.
func (b sessionBinder) Routine(f catalog.OID, args []catalog.OID, ret catalog.OID, cols []functions.OutCol) (*plan.Routine, error) {
	return b.stored().Routine(f, args, ret, cols)
}
