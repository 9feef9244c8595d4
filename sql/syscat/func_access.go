package syscat

import (
	"strings"

	"github.com/omendb/omendb/sql/exec"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
)

// DatabaseAccess is what pg_stat_database counts of one database.
type DatabaseAccess struct {
	Access                        exec.Access // the sum of all tables and indexes
	Commits, Rollbacks, Deadlocks int64
	Sessions                      int64
	SessionTime, ActiveTime       int64 // µs, of sessions that have ended
	Reset                         int64 // timestamptz, 0 for never
}

// relationCounters are the functions pg_stat_get_… of one table or index.
var relationCounters = map[string]func(a exec.Access) int64{
	"numscans":        func(a exec.Access) int64 { return a.Scans },
	"tuples_returned": func(a exec.Access) int64 { return a.Read },
	"tuples_fetched":  func(a exec.Access) int64 { return a.Fetched },
	"tuples_inserted": func(a exec.Access) int64 { return a.Inserted },
	"tuples_updated":  func(a exec.Access) int64 { return a.Updated },
	"tuples_deleted":  func(a exec.Access) int64 { return a.Deleted },

	"analyze_count":     func(a exec.Access) int64 { return a.Analyzed },
	"mod_since_analyze": func(a exec.Access) int64 { return a.Changed() },
	"ins_since_vacuum":  func(a exec.Access) int64 { return a.Inserted },
}

// databaseCounters are the functions pg_stat_get_db_….
var databaseCounters = map[string]func(d DatabaseAccess) int64{
	"xact_commit":     func(d DatabaseAccess) int64 { return d.Commits },
	"xact_rollback":   func(d DatabaseAccess) int64 { return d.Rollbacks },
	"tuples_returned": func(d DatabaseAccess) int64 { return d.Access.Read },
	"tuples_fetched":  func(d DatabaseAccess) int64 { return d.Access.Fetched },
	"tuples_inserted": func(d DatabaseAccess) int64 { return d.Access.Inserted },
	"tuples_updated":  func(d DatabaseAccess) int64 { return d.Access.Updated },
	"tuples_deleted":  func(d DatabaseAccess) int64 { return d.Access.Deleted },
	"deadlocks":       func(d DatabaseAccess) int64 { return d.Deadlocks },
	"sessions":        func(d DatabaseAccess) int64 { return d.Sessions },
}

// databaseTimes are those that tell times, in milliseconds.
var databaseTimes = map[string]func(d DatabaseAccess) int64{
	"session_time": func(d DatabaseAccess) int64 { return d.SessionTime },
	"active_time":  func(d DatabaseAccess) int64 { return d.ActiveTime },
}

// accessCall answers those pg_stat_get_* that count accesses.
func accessCall(name string) call {
	if read := relationCounters[name]; read != nil {
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			return num(read(f.World.Access(oidArg(a[0])))), nil
		}
	}
	if own, ok := strings.CutPrefix(name, "xact_"); ok && relationCounters[own] != nil {
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			return num(relationCounters[own](f.World.OwnAccess(oidArg(a[0])))), nil
		}
	}
	db, ok := strings.CutPrefix(name, "db_")
	if !ok {
		return nil
	}
	if read := databaseCounters[db]; read != nil {
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			return num(read(f.World.DatabaseAccess(oidArg(a[0])))), nil
		}
	}
	if read := databaseTimes[db]; read != nil {
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			oid := oidArg(a[0])
			d := f.World.DatabaseAccess(oid)
			for _, s := range f.World.Activities() {
				if s.Database == oid {
					d.SessionTime += s.SessionTime
					d.ActiveTime += s.ActiveTime
				}
			}
			return float(float64(read(d)) / 1000), nil
		}
	}
	if db == "stat_reset_time" {
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			return orTime(f.World.DatabaseAccess(oidArg(a[0])).Reset), nil
		}
	}
	return nil
}

// accessCalls set the counters back.
var accessCalls = map[string]call{
	"pg_stat_reset": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		if err := f.mayReset("pg_stat_reset"); err != nil {
			return null, err
		}
		f.World.ResetAccess(0)
		return str(""), nil
	},
	"pg_stat_reset_single_table_counters": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		if err := f.mayReset("pg_stat_reset_single_table_counters"); err != nil {
			return null, err
		}
		if oid := oidArg(a[0]); oid != 0 {
			f.World.ResetAccess(oid)
		}
		return str(""), nil
	},
}

// mayReset lets superusers reset counters: in PostgreSQL the functions are revoked from PUBLIC.
func (f Functions) mayReset(name string) error {
	if r := f.World.View().Role(f.World.User()); r == nil || !r.Superuser {
		return pgerr.New(pgerr.InsufficientPrivilege, "permission denied for function %s", name)
	}
	return nil
}
