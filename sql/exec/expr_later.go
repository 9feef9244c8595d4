package exec

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
)

var errLater = pgerr.Unsupported("this kind of expression is not supported")

func (c *compiler) arrayCast(*plan.ArrayCast) (expr, error)   { return nil, errLater }
func (c *compiler) rowCast(*plan.RowCast) (expr, error)       { return nil, errLater }
func (c *compiler) arrayOf(*plan.ArrayOf) (expr, error)       { return nil, errLater }
func (c *compiler) rowOf(*plan.RowOf) (expr, error)           { return nil, errLater }
func (c *compiler) subscript(*plan.Subscript) (expr, error)   { return nil, errLater }
func (c *compiler) field(*plan.Field) (expr, error)           { return nil, errLater }
func (c *compiler) fieldStore(*plan.FieldStore) (expr, error) { return nil, errLater }
func (c *compiler) arrayOp(*plan.ArrayOp) (expr, error)       { return nil, errLater }
func (c *compiler) rowNullTest(*plan.NullTest, expr) (expr, error) {
	return nil, errLater
}

type arrayReader struct{}

func (st *state) arrayReader(OID) (*arrayReader, error)                { return nil, errLater }
func (a *arrayReader) read(column.Datum) ([]column.Datum, error)       { return nil, errLater }
func (st *state) newFunctionScan(*plan.FunctionScan) (operator, error) { return nil, errLater }
func (st *state) newProjectSet(*plan.ProjectSet) (operator, error)     { return nil, errLater }
func (st *state) newWindowAgg(*plan.WindowAgg) (operator, error)       { return nil, errLater }
func (st *state) newMergeJoin(*plan.MergeJoin) (operator, error)       { return nil, errLater }

func (st *state) makeArray(array, elem OID, vals []column.Datum) (column.Datum, error) {
	return column.Datum{}, errLater
}
func (c *compiler) rowCompare(*plan.RowCompare) (expr, error) { return nil, errLater }
