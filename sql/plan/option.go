package plan

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// OptionText returns an option's value as text, as PostgreSQL's defGetString does:
// reloptions are kept in this form. A value that was left out is "true".
func OptionText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []string:
		return strings.Join(v, ".")
	}
	return "true"
}

// Bool returns the value of a boolean option; one without value is true.
func (o Option) Bool() (bool, error) {
	switch v := o.Value.(type) {
	case nil:
		return true, nil
	case bool:
		return v, nil
	case int64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case string:
		switch strings.ToLower(v) {
		case "true", "on":
			return true, nil
		case "false", "off":
			return false, nil
		}
	}
	return false, pgerr.New(pgerr.SyntaxError, "%s requires a Boolean value", o.Name)
}

// Int returns the value of an integer option.
func (o Option) Int() (int64, error) {
	switch v := o.Value.(type) {
	case int64:
		return v, nil
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	case nil:
		return 0, pgerr.New(pgerr.SyntaxError, "%s requires a numeric value", o.Name)
	}
	return 0, pgerr.New(pgerr.SyntaxError, "%s requires an integer value", o.Name)
}
