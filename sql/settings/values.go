package settings

import (
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// Values are the values of one session. SET is undone when its transaction
// (or subtransaction) rolls back; SET LOCAL ends with its transaction.
type Values struct {
	current map[string]string // canonical values that differ from the definitions' defaults
	reset   map[string]string // what RESET goes back to
	custom  map[string]string // names of custom parameters (with a dot) as first written
	undo    []undoEntry
	version uint64
	// Changed is called when a parameter's value changed.
	Changed func(d *Definition, value string)
}

type undoEntry struct {
	key   string
	old   string
	had   bool
	local bool // SET LOCAL: undone at commit, too
}

// NewValues returns values that are all at their defaults.
func NewValues() *Values {
	return &Values{current: map[string]string{}, reset: map[string]string{}, custom: map[string]string{}}
}

// Version moves with every change.
func (v *Values) Version() uint64 { return v.version }

// SetDefault makes a value the session's default, which RESET restores: from
// the configuration, ALTER ROLE or DATABASE, and the start-up packet.
func (v *Values) SetDefault(name, value string) error {
	d, key, err := v.definition(name, true)
	if err != nil {
		return err
	}
	canonical, err := v.canonical(d, value)
	if err != nil {
		return err
	}
	v.reset[key] = canonical
	v.put(key, d, canonical)
	return nil
}

// definition finds a parameter; custom names (with a dot) need not exist.
func (v *Values) definition(name string, make bool) (*Definition, string, error) {
	if d := Find(name); d != nil {
		return d, strings.ToLower(d.Name), nil
	}
	key := strings.ToLower(name)
	if strings.Contains(name, ".") && !strings.HasPrefix(key, "omen.") {
		if shown, ok := v.custom[key]; ok || make {
			if !ok {
				if !validCustom(name) {
					return nil, "", pgerr.New(pgerr.InvalidName, "invalid configuration parameter name \"%s\"", name).
						WithDetail("Custom parameter names must be two or more simple identifiers separated by dots.")
				}
				v.custom[key], shown = name, name
			}
			return &Definition{Name: shown, Type: "string", Context: "user", Category: "Customized Options"}, key, nil
		}
	}
	return nil, "", pgerr.New(pgerr.UndefinedObject, "unrecognized configuration parameter \"%s\"", name)
}

// Known reports whether a name is that of a parameter, or could be that of a custom one.
func Known(name string) bool {
	return Find(name) != nil || strings.Contains(name, ".") && !strings.HasPrefix(strings.ToLower(name), "omen.") && validCustom(name)
}

func validCustom(name string) bool {
	for _, part := range strings.Split(name, ".") {
		if part == "" {
			return false
		}
		for i, r := range part {
			letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127
			if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '$')) {
				return false
			}
		}
	}
	return true
}

func (v *Values) canonical(d *Definition, value string) (string, error) {
	c, err := d.check(value)
	if err != nil || strings.ToLower(d.Name) != "datestyle" {
		return c, err
	}
	style, order, _ := strings.Cut(c, ", ")
	oldStyle, oldOrder, _ := strings.Cut(v.Get("DateStyle"), ", ")
	if style == "" {
		style = oldStyle
	}
	if order == "" {
		order = oldOrder
	}
	return style + ", " + order, nil
}

func (v *Values) put(key string, d *Definition, value string) {
	if v.lookup(key, d) == value && v.has(key) {
		return
	}
	v.current[key] = value
	v.version++
	if v.Changed != nil {
		v.Changed(d, value)
	}
}

func (v *Values) has(key string) bool { _, ok := v.current[key]; return ok }

func (v *Values) lookup(key string, d *Definition) string {
	if s, ok := v.current[key]; ok {
		return s
	}
	return d.Default
}

// Get returns the canonical value of a known parameter, "" when there is none.
func (v *Values) Get(name string) string {
	d, key, err := v.definition(name, false)
	if err != nil {
		return ""
	}
	return v.lookup(key, d)
}

// ResetValue returns what RESET would set a known parameter to, "" when there is none.
func (v *Values) ResetValue(name string) string {
	d, key, err := v.definition(name, false)
	if err != nil {
		return ""
	}
	if s, ok := v.reset[key]; ok {
		return s
	}
	return d.Default
}

// Bool returns a boolean parameter.
func (v *Values) Bool(name string) bool { return v.Get(name) == "on" }

// Int returns an integer parameter, in its unit.
func (v *Values) Int(name string) int64 {
	n, _ := strconv.ParseInt(v.Get(name), 10, 64)
	return n
}

// Show returns a parameter as SHOW prints it.
func (v *Values) Show(name string) (string, error) {
	d, key, err := v.definition(name, false)
	if err != nil {
		return "", err
	}
	return d.Show(v.lookup(key, d)), nil
}

// Describe returns a parameter's definition.
func (v *Values) Describe(name string) (*Definition, error) {
	d, _, err := v.definition(name, false)
	return d, err
}

// Customs returns the custom parameters' definitions.
func (v *Values) Customs() []*Definition {
	var out []*Definition
	for key := range v.custom {
		d, _, _ := v.definition(key, false)
		out = append(out, d)
	}
	return out
}

// Set is SET (or SET LOCAL). Parameters that only the server's start or its
// configuration file can set are refused, as are those for superusers to others.
func (v *Values) Set(name, value string, local, superuser bool) error {
	d, key, err := v.definition(name, true)
	if err != nil {
		return err
	}
	if err := d.settable(superuser); err != nil {
		return err
	}
	canonical, err := v.canonical(d, value)
	if err != nil {
		return err
	}
	v.remember(key, local)
	v.put(key, d, canonical)
	return nil
}

func (d *Definition) settable(superuser bool) error {
	switch d.Context {
	case "internal":
		return pgerr.New(pgerr.CantChangeRuntimeParam, "parameter \"%s\" cannot be changed", d.Name)
	case "postmaster":
		return pgerr.New(pgerr.CantChangeRuntimeParam, "parameter \"%s\" cannot be changed without restarting the server", d.Name)
	case "sighup":
		return pgerr.New(pgerr.CantChangeRuntimeParam, "parameter \"%s\" cannot be changed now", d.Name)
	case "backend", "superuser-backend":
		return pgerr.New(pgerr.CantChangeRuntimeParam, "parameter \"%s\" cannot be set after connection start", d.Name)
	case "superuser":
		if !superuser {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set parameter \"%s\"", d.Name)
		}
	}
	return nil
}

func (v *Values) remember(key string, local bool) {
	old, had := v.current[key]
	v.undo = append(v.undo, undoEntry{key: key, old: old, had: had, local: local})
}

// Reset is RESET, or SET … TO DEFAULT.
func (v *Values) Reset(name string, local, superuser bool) error {
	d, key, err := v.definition(name, false)
	if err != nil {
		return err
	}
	if err := d.settable(superuser); err != nil {
		return err
	}
	v.remember(key, local)
	v.restore(key, v.reset[key], hasKey(v.reset, key))
	return nil
}

// ResetAll is RESET ALL: everything that a user may set goes back to its default.
func (v *Values) ResetAll() {
	for key := range v.current {
		d, _, err := v.definition(key, false)
		if err != nil || d.Context != "user" && d.Context != "superuser" || d.Hidden {
			continue
		}
		switch key {
		case "transaction_isolation", "transaction_read_only", "transaction_deferrable":
			continue
		}
		v.remember(key, false)
		v.restore(key, v.reset[key], hasKey(v.reset, key))
	}
}

func hasKey(m map[string]string, k string) bool { _, ok := m[k]; return ok }

func (v *Values) restore(key, value string, had bool) {
	d, _, err := v.definition(key, false)
	if err != nil {
		return
	}
	before := v.lookup(key, d)
	if had {
		v.current[key] = value
	} else {
		delete(v.current, key)
	}
	if after := v.lookup(key, d); after != before {
		v.version++
		if v.Changed != nil {
			v.Changed(d, after)
		}
	}
}

// Mark returns the point that Rollback goes back to: at the start of a
// transaction and at every savepoint.
func (v *Values) Mark() int { return len(v.undo) }

// Rollback undoes everything set since the mark.
func (v *Values) Rollback(mark int) {
	for i := len(v.undo) - 1; i >= mark; i-- {
		v.restore(v.undo[i].key, v.undo[i].old, v.undo[i].had)
	}
	v.undo = v.undo[:mark]
}

// Commit ends the transaction: SET LOCAL is undone, SET stays. A SET after a
// SET LOCAL of the same parameter stays, too.
func (v *Values) Commit() {
	final := map[string]undoEntry{} // first local change since the last plain SET
	for _, u := range v.undo {
		if !u.local {
			delete(final, u.key)
		} else if _, ok := final[u.key]; !ok {
			final[u.key] = u
		}
	}
	v.undo = v.undo[:0]
	for key, u := range final {
		v.restore(key, u.old, u.had)
	}
}
