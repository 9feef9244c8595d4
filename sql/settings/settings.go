// Package settings knows the configuration parameters: their types, limits,
// units and defaults as facts taken from PostgreSQL 15 (pg_settings) plus our
// own omen.* ones, and a session's values with their transactional behaviour.
//
//	Definition  one parameter
//	Values      the values of one session: defaults, SET, SET LOCAL, rollback
package settings

import (
	_ "embed"
	"strings"
	"sync"
)

// Definition describes a parameter. The fields are those of pg_settings.
type Definition struct {
	Name     string
	Default  string // in the parameter's own unit
	Unit     string // "", "ms", "s", "min", "kB", "8kB", "MB", "B"
	Category string
	Short    string
	Extra    string
	Context  string // "internal", "postmaster", "sighup", "backend", "superuser-backend", "superuser", "user"
	Type     string // "bool", "integer", "real", "string", "enum"
	Min, Max string
	Enum     []string
	Report   bool // clients are told about changes (GUC_REPORT)
	List     bool // a list of identifiers (search_path and its like)
	Hidden   bool // not in SHOW ALL
}

//go:embed data/pg_settings.tsv
var facts string

type table struct {
	all    []*Definition
	byName map[string]*Definition
}

// lists are the parameters whose value is a list; SET joins several values.
var lists = map[string]bool{"search_path": true, "datestyle": true, "session_preload_libraries": true,
	"shared_preload_libraries": true, "local_preload_libraries": true, "temp_tablespaces": true, "listen_addresses": true,
	"unix_socket_directories": true, "synchronous_standby_names": true, "log_destination": true, "omen.disabled_rules": true,
	"debug_io_direct": true, "createrole_self_grant": true, "wal_consistency_checking": true}

var hidden = map[string]bool{"is_superuser": true, "session_authorization": true, "role": true, "seed": true}

var builtin = sync.OnceValue(func() *table {
	t := &table{byName: map[string]*Definition{}}
	for line := range strings.Lines(facts) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		d := &Definition{Name: f[0], Default: f[1], Unit: f[2], Category: f[3], Short: f[4], Extra: f[5],
			Context: f[6], Type: f[7], Min: f[8], Max: f[9], Report: f[11] == "1"}
		if f[10] != "" {
			d.Enum = strings.Split(f[10], ",")
		}
		key := strings.ToLower(d.Name)
		d.List, d.Hidden = lists[key], hidden[key]
		t.all = append(t.all, d)
		t.byName[key] = d
	}
	return t
})

// All returns every parameter, in the order of SHOW ALL. The slice is shared.
func All() []*Definition { return builtin().all }

// Find returns a parameter by its name in any case, nil when there is none.
func Find(name string) *Definition {
	switch key := strings.ToLower(name); key {
	case "time zone", "timezone":
		return builtin().byName["timezone"]
	default:
		return builtin().byName[key]
	}
}
