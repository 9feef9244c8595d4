package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// jsonpathEvals answer questions about what a jsonpath finds in a jsonb value. Optional
// arguments are the path's variables and whether errors of the path are suppressed.
var jsonpathEvals = map[string]EvalFunc{
	"jsonb_path_exists":         pathExists,
	"jsonb_path_exists_tz":      pathExists,
	"jsonb_path_exists_opr":     pathExists,
	"jsonb_path_match":          pathMatch,
	"jsonb_path_match_tz":       pathMatch,
	"jsonb_path_match_opr":      pathMatch,
	"jsonb_path_query_array":    pathQueryArray,
	"jsonb_path_query_array_tz": pathQueryArray,
	"jsonb_path_query_first":    pathQueryFirst,
	"jsonb_path_query_first_tz": pathQueryFirst,
}

// jsonpathSets yield what a jsonpath finds.
var jsonpathSets = map[string]SetFunc{
	"jsonb_path_query":    pathQuery,
	"jsonb_path_query_tz": pathQuery,
}

// pathMemo is the path that a call site parsed last.
type pathMemo struct {
	text     string
	path     *types.JSONPath
	patterns map[*types.PathItem]*regex // of like_regex, as they are met
}

// runPath evaluates the path of a call. ok is false when an error was suppressed. With
// exists, only whether anything is found matters.
func runPath(c *Ctx, a []column.Datum, exists bool) (found []types.JSONB, status pathStatus, ok bool, err error) {
	memo, _ := c.Memo.(*pathMemo)
	if text := string(a[1].B); memo == nil || memo.text != text {
		p, err := types.ParseJSONPath(text)
		if err != nil {
			return nil, 0, false, err
		}
		memo = &pathMemo{text: text, path: p}
		c.Memo = memo
	}
	silent := len(a) < 4 || a[3].I != 0
	root := types.JSONB(a[0].B)
	x := &pathExec{lax: !memo.path.Strict, ignore: !memo.path.Strict, root: root, current: root, size: -1, memo: memo, pace: pace{c: c}}
	if len(a) > 2 {
		x.vars = types.JSONB(a[2].B)
		if x.vars.Kind() != types.JSONObject {
			return nil, 0, false, pgerr.New(pgerr.InvalidParameterValue, "\"vars\" argument is not an object").
				WithDetail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object.")
		}
	}
	var list *[]types.JSONB
	if !exists || !x.lax {
		list = &found
	}
	status, err = x.item(memo.path.Root, root, list)
	if e, is := err.(pathError); is {
		if silent {
			return found, 0, false, nil // what was found before the error counts
		}
		return nil, 0, false, e.user
	}
	if list != nil && err == nil {
		status = pathNotFound
		if len(found) > 0 {
			status = pathOK
		}
	}
	return found, status, true, err
}

func pathExists(c *Ctx, a []column.Datum) (column.Datum, error) {
	_, status, ok, err := runPath(c, a, true)
	if err != nil || !ok {
		return column.Null(), err
	}
	return boolResult(status == pathOK)
}

func pathMatch(c *Ctx, a []column.Datum) (column.Datum, error) {
	found, _, _, err := runPath(c, a, false)
	if err != nil {
		return column.Null(), err
	}
	if len(found) == 1 {
		switch found[0].Kind() {
		case types.JSONTrue, types.JSONFalse:
			return boolResult(found[0].Kind() == types.JSONTrue)
		case types.JSONNull:
			return nullResult()
		}
	}
	if len(a) < 4 || a[3].I != 0 {
		return nullResult()
	}
	return column.Null(), pgerr.New(pgerr.SingletonSQLJSONItemRequired, "single boolean result is expected")
}

func pathQueryArray(c *Ctx, a []column.Datum) (column.Datum, error) {
	found, _, _, err := runPath(c, a, false)
	if err != nil {
		return column.Null(), err
	}
	return bytesResult(types.JSONBArray(found))
}

func pathQueryFirst(c *Ctx, a []column.Datum) (column.Datum, error) {
	found, _, _, err := runPath(c, a, false)
	if err != nil || len(found) == 0 {
		return column.Null(), err
	}
	return bytesResult(found[0])
}

func pathQuery(c *Ctx, a []column.Datum) (SetIter, error) {
	found, _, _, err := runPath(c, a, false)
	if err != nil {
		return nil, err
	}
	list := make([]column.Datum, len(found))
	for i, j := range found {
		list[i] = column.Datum{B: j}.Clone()
	}
	return oneColumn(list), nil
}
