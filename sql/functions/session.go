package functions

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// sessionEvals answer from the session: who and where we are, settings, sequences,
// transactions, advisory locks, sleeping.
var sessionEvals = map[string]EvalFunc{
	"current_user":             func(c *Ctx, _ []column.Datum) (column.Datum, error) { return textResult(c.Session.CurrentUser()) },
	"session_user":             func(c *Ctx, _ []column.Datum) (column.Datum, error) { return textResult(c.Session.SessionUser()) },
	"current_database":         func(c *Ctx, _ []column.Datum) (column.Datum, error) { return textResult(c.Session.Database()) },
	"current_query":            infoText(InfoQuery),
	"pgsql_version":            infoText(InfoVersion),
	"inet_client_port":         infoInt(InfoClientPort),
	"inet_server_port":         infoInt(InfoServerPort),
	"inet_client_addr":         infoTyped(InfoClientAddr, types.InetOID),
	"inet_server_addr":         infoTyped(InfoServerAddr, types.InetOID),
	"pg_backend_pid":           func(c *Ctx, _ []column.Datum) (column.Datum, error) { return intResult(int64(c.Session.PID())) },
	"pg_postmaster_start_time": infoInt(InfoStartTime),
	"pg_conf_load_time":        infoInt(InfoLoadTime),
	"pg_client_encoding":       settingText("client_encoding"),
	"getdatabaseencoding":      func(*Ctx, []column.Datum) (column.Datum, error) { return textResult("UTF8") },
	"current_schema": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		path := c.Catalog.SearchPath(false)
		if len(path) == 0 {
			return nullResult()
		}
		return textResult(path[0])
	},
	"current_schemas": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		var list []column.Datum
		for _, s := range c.Catalog.SearchPath(a[0].I != 0) {
			list = append(list, column.StringDatum(s))
		}
		return arrayOf(types.NameOID, list), nil
	},
	"show_config_by_name": func(c *Ctx, a []column.Datum) (column.Datum, error) { return setting(c, a[0].String(), false) },
	"show_config_by_name_missing_ok": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return setting(c, a[0].String(), a[1].I != 0)
	},
	"set_config_by_name": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if a[0].Null {
			return column.Datum{}, pgerr.New(pgerr.NullValueNotAllowed, "SET requires parameter name")
		}
		s, err := c.Session.SetSetting(a[0].String(), a[1].String(), a[2].Bool())
		return column.StringDatum(s), err
	},

	"nextval_oid": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := c.Session.SequenceNext(OID(a[0].I))
		return column.IntDatum(v), err
	},
	"currval_oid": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		v, err := c.Session.SequenceCurrent(OID(a[0].I))
		return column.IntDatum(v), err
	},
	"lastval": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		v, err := c.Session.SequenceLast()
		return column.IntDatum(v), err
	},
	"setval_oid":  func(c *Ctx, a []column.Datum) (column.Datum, error) { return setval(c, a, true) },
	"setval3_oid": func(c *Ctx, a []column.Datum) (column.Datum, error) { return setval(c, a, a[2].I != 0) },

	"pg_current_xact_id": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		id, _ := c.Session.TransactionID(true)
		return intResult(int64(id))
	},
	"pg_current_xact_id_if_assigned": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		id, ok := c.Session.TransactionID(false)
		return column.Datum{I: int64(id), Null: !ok}, nil
	},
	"pg_xact_status": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		s, err := c.Session.TransactionStatus(uint64(a[0].I))
		return column.Datum{B: []byte(s), Null: s == ""}, err
	},
	"xid8toxid":         overInt(func(v int64) (column.Datum, error) { return intResult(v & 0xffffffff) }),
	"pg_is_in_recovery": func(*Ctx, []column.Datum) (column.Datum, error) { return boolResult(false) },
	"pg_jit_available":  func(*Ctx, []column.Datum) (column.Datum, error) { return boolResult(false) },
	"pg_trigger_depth":  func(*Ctx, []column.Datum) (column.Datum, error) { return intResult(0) },
	"pg_reload_conf": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		err := c.Session.ReloadConfig()
		return column.BoolDatum(err == nil), err
	},
	"pg_cancel_backend": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ok, err := c.Session.SignalBackend(int32(a[0].I), false)
		return column.BoolDatum(ok), err
	},
	"pg_terminate_backend": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		ok, err := c.Session.SignalBackend(int32(a[0].I), true)
		return column.BoolDatum(ok), err
	},
	"pg_blocking_pids": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return arrayOf(types.Int4OID, processIDs(c.Session.BlockingProcesses(int32(a[0].I)))), nil
	},
	"pg_safe_snapshot_blocking_pids": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return arrayOf(types.Int4OID, processIDs(c.Session.SnapshotBlockers(int32(a[0].I)))), nil
	},
	"pg_isolation_test_session_is_blocked": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		if len(c.Session.SnapshotBlockers(int32(a[0].I))) > 0 {
			return boolResult(true)
		}
		interesting := types.ArrayFrom(a[1])
		for _, pid := range c.Session.BlockingProcesses(int32(a[0].I)) {
			for _, d := range interesting.Elems {
				if d.I == int64(pid) {
					return boolResult(true)
				}
			}
		}
		return boolResult(false)
	},
	"pg_sleep": func(c *Ctx, a []column.Datum) (column.Datum, error) { return sleep(c, a[0].Float()) },
	"pg_sleep_for(interval)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return sleep(c, intervalSeconds(types.IntervalFrom(a[0])))
	},
	"pg_sleep_until(timestamptz)": func(c *Ctx, a []column.Datum) (column.Datum, error) {
		return sleep(c, float64(a[0].I-c.Env.ClockNow())/1e6)
	},
	"pg_typeof": func(c *Ctx, _ []column.Datum) (column.Datum, error) { return intResult(int64(c.argType(0))) },
	"pg_collation_for": func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		if c.Collation == 0 {
			return nullResult()
		}
		return catalogEval("pg_collation_for")(c, []column.Datum{column.IntDatum(int64(c.Collation))})
	},
	"pg_num_nulls":    countNulls(true),
	"pg_num_nonnulls": countNulls(false),
}

func processIDs(pids []int32) []column.Datum {
	list := make([]column.Datum, len(pids))
	for i, pid := range pids {
		list[i] = column.IntDatum(int64(pid))
	}
	return list
}

func countNulls(null bool) EvalFunc {
	return func(c *Ctx, a []column.Datum) (column.Datum, error) {
		list, none, err := variadicArgs(c, a, 0)
		if err != nil || none {
			return column.Datum{Null: none}, err
		}
		n := int64(0)
		for _, d := range list {
			n += b2i(d.Null == null)
		}
		return intResult(n)
	}
}

func infoText(key InfoKey) EvalFunc {
	return func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		s, ok := c.Session.Info(key)
		return column.Datum{B: []byte(s), Null: !ok}, nil
	}
}

func infoInt(key InfoKey) EvalFunc {
	return func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		s, ok := c.Session.Info(key)
		v, err := strconv.ParseInt(s, 10, 64)
		return column.Datum{I: v, Null: !ok || err != nil}, nil
	}
}

func infoTyped(key InfoKey, typ OID) EvalFunc {
	return func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		s, ok := c.Session.Info(key)
		if !ok || s == "" {
			return nullResult()
		}
		return c.Env.In(typ, -1, s)
	}
}

func settingText(name string) EvalFunc {
	return func(c *Ctx, _ []column.Datum) (column.Datum, error) { return setting(c, name, false) }
}

func setting(c *Ctx, name string, missingOK bool) (column.Datum, error) {
	s, ok := c.Session.Setting(name)
	if !ok && !missingOK {
		return column.Datum{}, pgerr.New(pgerr.UndefinedObject, "unrecognized configuration parameter \"%s\"", name)
	}
	return column.Datum{B: []byte(s), Null: !ok}, nil
}

func setval(c *Ctx, a []column.Datum, called bool) (column.Datum, error) {
	return a[1], c.Session.SequenceSet(OID(a[0].I), a[1].I, called)
}

// sleep waits for some seconds or until the statement is cancelled.
// sleeper is a Session that shows others that it sleeps, until the function returned is called.
type sleeper interface{ Sleeping() (awake func()) }

func sleep(c *Ctx, seconds float64) (column.Datum, error) {
	if seconds > 0 {
		t := time.NewTimer(time.Duration(min(seconds, 1e9) * float64(time.Second)))
		defer t.Stop()
		if s, ok := c.Session.(sleeper); ok {
			defer s.Sleeping()()
		}
		select {
		case <-t.C:
		case <-c.ctx().Done():
			return column.Datum{}, pgerr.From(context.Cause(c.ctx()))
		}
	}
	return bytesResult(nil)
}

func init() {
	// pg_[try_]advisory_[xact_]{lock,unlock}[_shared]_{int8,int4}
	for _, name := range strings.Fields("lock lock_shared xact_lock xact_lock_shared unlock unlock_shared") {
		for _, form := range []string{"_int8", "_int4"} {
			shape := AdvisoryLock{Pair: form == "_int4", Shared: strings.HasSuffix(name, "shared"), Transaction: strings.HasPrefix(name, "xact")}
			if strings.HasPrefix(name, "unlock") {
				sessionEvals["pg_advisory_"+name+form] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
					ok := c.Session.AdvisoryUnlock(advisory(shape, a))
					if !ok {
						c.Session.Notice(pgerr.New(pgerr.Warning, "you don't own a lock of type %s", map[bool]string{true: "ShareLock", false: "ExclusiveLock"}[shape.Shared]).WithSeverity("WARNING"))
					}
					return boolResult(ok)
				}
				continue
			}
			sessionEvals["pg_advisory_"+name+form] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
				_, err := c.Session.AdvisoryLock(c.ctx(), advisory(shape, a), false)
				return column.Datum{}, err
			}
			sessionEvals["pg_try_advisory_"+name+form] = func(c *Ctx, a []column.Datum) (column.Datum, error) {
				ok, err := c.Session.AdvisoryLock(c.ctx(), advisory(shape, a), true)
				return column.BoolDatum(ok), err
			}
		}
	}
	sessionEvals["pg_advisory_unlock_all"] = func(c *Ctx, _ []column.Datum) (column.Datum, error) {
		c.Session.AdvisoryUnlockAll()
		return column.Datum{}, nil
	}
}

func advisory(l AdvisoryLock, a []column.Datum) AdvisoryLock {
	l.Key = a[0].I
	if l.Pair {
		l.Key = a[0].I<<32 | a[1].I&0xffffffff
	}
	return l
}

// intervalSeconds is date_part('epoch', interval), added up in PostgreSQL's order.
func intervalSeconds(v types.Interval) float64 {
	s := float64(v.Micros) / 1e6
	s += 365.25 * 86400 * float64(v.Months/12)
	s += 30 * 86400 * float64(v.Months%12)
	return s + 86400*float64(v.Days)
}
