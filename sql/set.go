package sql

import (
	"context"
	"strings"
	"time"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
	"github.com/omendb/omendb/sql/settings"
	"github.com/omendb/omendb/sql/types"
)

// afterFunc runs fn after so many milliseconds unless stopped.
func afterFunc(millis int64, fn func()) (stop func() bool) {
	return time.AfterFunc(time.Duration(millis)*time.Millisecond, fn).Stop
}

// runSet is SET, RESET, SET TRANSACTION and SET ROLE.
func (x *Session) runSet(ctx context.Context, s *plan.Set) error {
	name := strings.ToLower(s.Name)
	if s.System {
		switch {
		case x.isSuperuser():
		case s.All:
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to perform ALTER SYSTEM RESET ALL")
		case !x.mayParameter(name, catalog.ACLAlterSystem):
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set parameter \"%s\"", s.Name)
		}
		return pgerr.New(pgerr.FeatureNotSupported, "ALTER SYSTEM is not supported")
	}
	if s.Snapshot != nil {
		if x.state != txnBlock {
			x.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET TRANSACTION can only be used in transaction blocks").WithSeverity("WARNING"))
		}
		return x.importSnapshot(*s.Snapshot)
	}
	if len(s.Options) > 0 {
		return x.setCharacteristics(s)
	}
	if s.Local && x.state != txnBlock {
		x.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET LOCAL can only be used in transaction blocks").WithSeverity("WARNING"))
	}
	if s.All {
		x.values.ResetAll()
		return nil
	}
	switch name {
	case "role", "session_authorization":
		return x.setRole(name, s)
	case "transaction_isolation", "transaction_read_only", "transaction_deferrable":
		if s.Reset || s.Default {
			return pgerr.New(pgerr.FeatureNotSupported, "parameter \"%s\" cannot be reset", name)
		}
		return x.setTransaction([]plan.Option{{Name: name, Value: strings.Join(s.Values, ", ")}}, false)
	case "seed":
		return x.setSeed(s)
	}
	if s.Reset || s.Default {
		return x.values.Reset(s.Name, s.Local, x.maySet(s.Name))
	}
	if s.FromCurrent {
		return nil
	}
	if d, err := x.values.Describe(s.Name); len(s.Values) > 1 && (err != nil || !d.List) {
		return pgerr.New(pgerr.InvalidParameterValue, "SET %s takes only one argument", s.Name)
	}
	return x.values.Set(s.Name, settings.Join(s.Name, s.Values), s.Local, x.maySet(s.Name))
}

// setCharacteristics is SET TRANSACTION and SET SESSION CHARACTERISTICS.
func (x *Session) setCharacteristics(s *plan.Set) error {
	if strings.Contains(strings.ToUpper(s.Name), "SESSION") {
		for _, o := range s.Options {
			v := optionText(o.Value)
			if o.Name != "transaction_isolation" {
				v = onOff(optionBool(o.Value))
			}
			if err := x.values.Set("default_"+o.Name, v, false, true); err != nil {
				return err
			}
		}
		return nil
	}
	if x.state != txnBlock {
		x.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "SET TRANSACTION can only be used in transaction blocks").WithSeverity("WARNING"))
	}
	return x.setTransaction(s.Options, false)
}

func (x *Session) setRole(name string, s *plan.Set) error {
	value := strings.Join(s.Values, "")
	reset := s.Reset || s.Default || name == "role" && value == "none"
	role := x.view.Role(x.login)
	if name == "role" {
		role = x.view.Role(x.authUser)
	}
	if !reset {
		if role = x.view.RoleByName(value); role == nil {
			return pgerr.New(pgerr.InvalidParameterValue, "role \"%s\" does not exist", value)
		}
		from := x.view.Role(x.login)
		if name == "role" {
			from = x.view.Role(x.authUser)
		}
		if role.OID != from.OID && !from.Superuser && (name != "role" || !privilege.Member(x.view, from.OID, role.OID, false)) {
			if name == "role" {
				return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set role \"%s\"", value)
			}
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to set session authorization")
		}
	}
	if name == "session_authorization" {
		x.setAuthorization(role, s.Local)
		return nil
	}
	shown := "none"
	if !reset {
		shown = role.Name
	}
	return x.values.Set("role", shown, s.Local, true)
}

func (x *Session) setAuthorization(role *catalog.Role, local bool) {
	_ = x.values.Set("session_authorization", role.Name, local, true)
	_ = x.values.Set("role", "none", local, true)
}

func (x *Session) setSeed(s *plan.Set) error {
	d, err := x.env.In(types.Float8OID, -1, strings.Join(s.Values, ""))
	if err != nil {
		return err
	}
	if f := d.Float(); f < -1 || f > 1 {
		return pgerr.New(pgerr.InvalidParameterValue, "%g is outside the valid range for parameter \"seed\" (-1 .. 1)", f)
	}
	x.random.SetSeed(d.Float())
	return nil
}

// settingChanged is called for every change of a value, also by rollback.
func (x *Session) settingChanged(d *settings.Definition, value string) {
	x.applySetting(d, value)
	if d.Report && x.client != nil {
		x.client.Parameter(d.Name, d.Show(value))
	}
}

// applySetting moves a parameter to where it takes effect.
func (x *Session) applySetting(d *settings.Definition, value string) {
	switch strings.ToLower(d.Name) {
	case "datestyle":
		x.applyDateStyle(value)
	case "quote_all_identifiers":
		x.env.QuoteAll = value == "on"
	case "intervalstyle":
		x.env.IntervalStyle = map[string]types.IntervalStyle{"postgres": types.IntervalPostgres,
			"postgres_verbose": types.IntervalPostgresVerbose, "sql_standard": types.IntervalSQLStandard,
			"iso_8601": types.IntervalISO8601}[value]
	case "client_encoding":
		x.env.Client = charset.Find(value)
		if x.env.Client.Identity() {
			x.env.Client = nil
		}
	case "timezone":
		if z, err := types.ParseZone(value); err == nil {
			x.env.TimeZone = z
		}
	case "deadlock_timeout", "lock_timeout":
		x.applyLockSettings()
	case "omen.transaction_memory":
		if x.txn != nil {
			x.txn.SetSpillBytes(x.values.Int(d.Name) << 10)
		}
	case "transaction_timeout":
		x.armTransaction()
	case "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count":
		x.applyKeepAlive()
	case "tcp_user_timeout":
		x.applyUserTimeout()
	case "application_name":
		x.activity.mu.Lock()
		x.activity.application = value
		x.activity.mu.Unlock()
	case "extra_float_digits":
		x.env.ExtraFloatDigits = int(x.values.Int(d.Name))
	case "bytea_output":
		x.env.ByteaOutput = types.ByteaHex
		if value == "escape" {
			x.env.ByteaOutput = types.ByteaEscape
		}
	case "role":
		x.user = x.authUser
		if value != "none" && value != "" {
			if r := x.lookupRole(value); r != nil {
				x.user = r.OID
			}
		}
	case "session_authorization":
		if r := x.lookupRole(value); r != nil {
			x.authUser, x.user = r.OID, r.OID
		}
	}
}

// lookupRole reads the current catalog, also while a transaction is being undone.
func (x *Session) lookupRole(name string) *catalog.Role {
	if x.view == nil {
		return nil
	}
	return x.view.RoleByName(name)
}

func (x *Session) applyDateStyle(value string) {
	style, order, _ := strings.Cut(value, ", ")
	x.env.DateStyle = map[string]types.DateStyle{"ISO": types.DateISO, "SQL": types.DateSQL,
		"Postgres": types.DatePostgres, "German": types.DateGerman}[style]
	x.env.DateOrder = map[string]types.DateOrder{"MDY": types.OrderMDY, "DMY": types.OrderDMY, "YMD": types.OrderYMD}[order]
}

// withSettings puts settings into force until restore is called: those of a function while it runs.
func (x *Session) withSettings(list []string) (restore func(), err error) {
	mark := x.values.Mark()
	restore = func() { x.values.Rollback(mark) }
	for _, s := range list {
		name, value, _ := strings.Cut(s, "=")
		if err := x.values.Set(name, value, true, x.isSuperuser()); err != nil {
			restore()
			return nil, err
		}
	}
	return restore, nil
}
