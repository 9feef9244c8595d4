package settings

import "strings"

// quotedList tells lists of identifiers, which keep their quotes where they need them.
func quotedList(d *Definition) bool { return d.List && !strings.EqualFold(d.Name, "datestyle") }

// Join makes one value of what SET was given: of a list its elements, those quoted that would not read back as themselves.
func Join(name string, values []string) string {
	if d := Find(name); d == nil || !quotedList(d) {
		return strings.Join(values, ", ")
	}
	out := make([]string, len(values))
	for i, v := range values {
		plain := v != ""
		for j := 0; j < len(v); j++ {
			c := v[j]
			if !(c == '_' || c >= 'a' && c <= 'z' || j > 0 && (c >= '0' && c <= '9' || c == '$')) {
				plain = false
			}
		}
		if !plain {
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		out[i] = v
	}
	return strings.Join(out, ", ")
}

// Stored checks a value that sessions will start with, or a function run with: the
// parameter must exist, must be one that SET could change, and must take the value. It
// returns the name as it is kept.
func Stored(name, value string, superuser bool) (string, error) {
	v := NewValues()
	d, _, err := v.definition(name, true)
	if err != nil {
		return "", err
	}
	if err := d.settable(superuser); err != nil && d.Context != "backend" && d.Context != "superuser-backend" {
		return "", err
	}
	if Find(name) == nil {
		return name, nil
	}
	if _, err := v.canonical(d, value); err != nil {
		return "", err
	}
	return d.Name, nil
}
