package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// windowFuncs are the window functions, by prosrc.
var windowFuncs = map[string]WinFunc{
	"window_row_number":   func(_ *Ctx, w WinRow) (column.Datum, error) { return intResult(int64(w.Row()) + 1) },
	"window_rank":         func(_ *Ctx, w WinRow) (column.Datum, error) { return intResult(int64(w.PeerStart()) + 1) },
	"window_dense_rank":   func(_ *Ctx, w WinRow) (column.Datum, error) { return intResult(int64(w.PeerGroup()) + 1) },
	"window_percent_rank": percentRank,
	"window_cume_dist": func(_ *Ctx, w WinRow) (column.Datum, error) {
		return floatResult(float64(w.PeerEnd()) / float64(w.Rows()))
	},
	"window_ntile":                        ntile,
	"window_lag":                          neighbour(-1, false, false),
	"window_lag_with_offset":              neighbour(-1, true, false),
	"window_lag_with_offset_and_default":  neighbour(-1, true, true),
	"window_lead":                         neighbour(1, false, false),
	"window_lead_with_offset":             neighbour(1, true, false),
	"window_lead_with_offset_and_default": neighbour(1, true, true),
	"window_first_value":                  func(_ *Ctx, w WinRow) (column.Datum, error) { return frameValue(w, 0) },
	"window_last_value":                   func(_ *Ctx, w WinRow) (column.Datum, error) { return frameValue(w, -1) },
	"window_nth_value":                    nthValue,
}

func percentRank(_ *Ctx, w WinRow) (column.Datum, error) {
	if w.Rows() <= 1 {
		return floatResult(0)
	}
	return floatResult(float64(w.PeerStart()) / float64(w.Rows()-1))
}

// ntile takes its argument from the partition's first row, as PostgreSQL does.
func ntile(_ *Ctx, w WinRow) (column.Datum, error) {
	d, err := w.Arg(0, 0)
	if err != nil || d.Null {
		return d, err
	}
	if d.I <= 0 {
		return column.Datum{}, pgerr.New(pgerr.InvalidArgumentForNtileFunction, "argument of ntile must be greater than zero")
	}
	rows, buckets, row := int64(w.Rows()), d.I, int64(w.Row())
	size, larger := rows/buckets, rows%buckets
	if row < larger*(size+1) {
		return intResult(row/(size+1) + 1)
	}
	return intResult((row-larger)/size + 1)
}

func neighbour(sign int64, offset, fallback bool) WinFunc {
	return func(_ *Ctx, w WinRow) (column.Datum, error) {
		n := int64(1)
		if offset {
			d, err := w.Arg(1, w.Row())
			if err != nil || d.Null {
				return d, err
			}
			n = d.I
		}
		target := int64(w.Row()) + sign*n
		if target >= 0 && target < int64(w.Rows()) {
			return w.Arg(0, int(target))
		}
		if fallback {
			return w.Arg(2, w.Row())
		}
		return nullResult()
	}
}

func frameValue(w WinRow, k int) (column.Datum, error) {
	row, ok := w.FrameRow(k)
	if !ok {
		return nullResult()
	}
	return w.Arg(0, row)
}

func nthValue(_ *Ctx, w WinRow) (column.Datum, error) {
	d, err := w.Arg(1, w.Row())
	if err != nil || d.Null {
		return d, err
	}
	if d.I <= 0 {
		return column.Datum{}, pgerr.New(pgerr.InvalidArgumentForNthValueFunction, "argument of nth_value must be greater than zero")
	}
	return frameValue(w, int(d.I-1))
}
