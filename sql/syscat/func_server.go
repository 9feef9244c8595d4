package syscat

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// Activity is what one session is doing. Times are timestamptz, 0 for none.
type Activity struct {
	PID                                                    int32
	User, Database                                         OID
	Application, Client                                    string // Client is "host:port", empty on a Unix socket
	Query, State                                           string
	BackendStart, QueryStart, StateSince, TransactionStart int64
	XID                                                    uint64
	Transactions                                           uint64 // begun so far
	WaitEvent                                              string // class/event, empty when it waits for nothing but locks or the client
	TLS                                                    *TLS   // nil: not encrypted
	SessionTime, ActiveTime                                int64  // µs so far
	Internal                                               bool   // the server's own work
}

// TLS is the encryption of a connection, and the certificate that the client has shown.
type TLS struct {
	Version, Cipher                  string
	Bits                             int
	ClientDN, ClientSerial, IssuerDN string
}

// Setting is a row of pg_settings.
type Setting struct {
	Name, Value, Unit, Category, Short, Extra, Context, Type, Source, Min, Max, Boot, Reset string
	Enum                                                                                    []string
	Flags                                                                                   []string
}

// Statement is a prepared statement of the session.
type Statement struct {
	Name, Text string
	Prepared   int64
	Params     []OID
	FromSQL    bool
}

// Prepared is a prepared transaction.
type Prepared struct {
	XID             uint64
	GID             string
	Time            int64
	Owner, Database OID
}

// Cursor is an open cursor of the session.
type Cursor struct {
	Name, Text           string
	Hold, Binary, Scroll bool
	Created              int64
}

func orTime(t int64) datum {
	if t == 0 {
		return null
	}
	return num(t)
}

// serverCalls ask the running server.
var serverCalls = map[string]call{
	"pg_export_snapshot": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		id, err := f.World.ExportSnapshot()
		return str(id), err
	},
	"pg_notification_queue_usage": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return float(f.World.QueueUsage()), nil
	},
	"pg_notify": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		channel, payload := "", ""
		if !a[0].Null {
			channel = a[0].String()
		}
		if !a[1].Null {
			payload = a[1].String()
		}
		return str(""), f.World.Notify(channel, payload)
	},
	"pg_blocking_pids": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		list := []uint32{}
		for _, p := range f.World.DB().BlockingProcesses(int32(a[0].I)) {
			list = append(list, uint32(p))
		}
		return array(types.Int4OID, list), nil
	},
	"pg_safe_snapshot_blocking_pids": func(Functions, *functions.Ctx, []datum) (datum, error) { return array(types.Int4OID, []uint32{}), nil },
	"pg_settings_get_flags": func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		for _, s := range f.World.Settings() {
			if strings.EqualFold(s.Name, a[0].String()) {
				return stringArray(types.TextOID, s.Flags), nil
			}
		}
		return null, nil
	},
	"pg_current_wal_lsn":        currentLSN,
	"pg_current_wal_insert_lsn": currentLSN,
	"pg_current_wal_flush_lsn":  currentLSN,
	"pg_wal_lsn_diff": func(_ Functions, _ *functions.Ctx, a []datum) (datum, error) {
		x, y := binary.BigEndian.Uint64(a[0].B), binary.BigEndian.Uint64(a[1].B)
		if x >= y {
			return types.NumericFromUint64(x - y).Datum(), nil
		}
		n, err := types.ParseNumeric("-" + strconv.FormatUint(y-x, 10))
		return n.Datum(), err
	},
	"pg_stat_clear_snapshot":   func(Functions, *functions.Ctx, []datum) (datum, error) { return str(""), nil },
	"pg_stat_force_next_flush": func(Functions, *functions.Ctx, []datum) (datum, error) { return str(""), nil },
}

// currentLSN is the durable position of the log, which counts records.
func currentLSN(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
	return lsnDatum(f.World.DB().Durable()), nil
}

// statCall answers pg_stat_get_*. What is not counted stays at zero, as PostgreSQL's counters
// of features that are not in use.
func statCall(prosrc string) call {
	name, ok := strings.CutPrefix(prosrc, "pg_stat_get_")
	if !ok {
		return nil
	}
	if fn := accessCall(name); fn != nil {
		return fn
	}
	switch name {
	case "live_tuples":
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			r := f.World.View().Relation(oidArg(a[0]))
			if r == nil || r.Store == 0 {
				return num(0), nil
			}
			return num(int64(f.World.DB().StoreStats(storeOf(r.Store)).Rows)), nil
		}
	case "dead_tuples":
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			r := f.World.View().Relation(oidArg(a[0]))
			if r == nil || r.Store == 0 {
				return num(0), nil
			}
			return num(f.World.DB().StoreStats(storeOf(r.Store)).Dead), nil
		}
	case "last_analyze_time":
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			if s := f.World.View().Statistic(oidArg(a[0])); s != nil {
				return orTime(s.Analyzed), nil
			}
			return null, nil
		}
	case "db_numbackends":
		return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
			n := 0
			for _, s := range f.World.Activities() {
				if s.Database == oidArg(a[0]) {
					n++
				}
			}
			return num(n), nil
		}
	}
	switch {
	case strings.HasPrefix(name, "function_"), strings.HasPrefix(name, "xact_function_"): // track_functions counts none
		return nothing
	case name == "bgwriter_stat_reset_time":
		return func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) { return num(f.World.Started()), nil }
	case strings.HasPrefix(name, "backend_"):
		return nil
	case strings.HasSuffix(name, "_time") && strings.HasPrefix(name, "last_"), strings.HasSuffix(name, "reset_time"), name == "db_checksum_last_failure", name == "snapshot_timestamp":
		return nothing
	case name == "wal_receiver": // a NULL row: there is none
		return nothing
	case name == "replication_slot", name == "subscription_stats", name == "archiver", name == "wal":
		return nil
	}
	return func(_ Functions, c *functions.Ctx, _ []datum) (datum, error) {
		if c.RetType == types.Float8OID {
			return float(0), nil
		}
		return num(0), nil
	}
}

// serverSets are the views on sessions, settings and locks.
var serverSets = map[string]set{
	"pg_stat_get_activity": activityRows,
	"show_all_settings": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, s := range f.World.Settings() {
			enum := null
			if len(s.Enum) > 0 {
				enum = stringArray(types.TextOID, s.Enum)
			}
			extra := str(s.Extra)
			if s.Extra == "" {
				extra = null
			}
			out = append(out, []datum{str(s.Name), str(s.Value), orNull(s.Unit), str(s.Category), str(s.Short), extra, str(s.Context),
				str(s.Type), str(s.Source), orNull(s.Min), orNull(s.Max), enum, bootValue(s, s.Boot), bootValue(s, s.Reset), null, null, flag(false)})
		}
		return out, nil
	},
	"pg_prepared_statement": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, s := range f.World.Statements() {
			out = append(out, []datum{str(s.Name), str(s.Text), num(s.Prepared), array(types.RegtypeOID, s.Params), flag(s.FromSQL), num(0), num(0)})
		}
		return out, nil
	},
	"pg_cursor": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, c := range f.World.Cursors() {
			out = append(out, []datum{str(c.Name), str(c.Text), flag(c.Hold), flag(c.Binary), flag(c.Scroll), num(c.Created)})
		}
		return out, nil
	},
	"pg_listening_channels": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		list := f.World.Channels()
		slices.Sort(list)
		for _, c := range list {
			out = append(out, []datum{str(c)})
		}
		return out, nil
	},
	"pg_lock_status": lockRows,
	"pg_prepared_xact": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, p := range f.World.Prepared() {
			out = append(out, []datum{num(p.XID), str(p.GID), num(p.Time), num(p.Owner), num(p.Database)})
		}
		return out, nil
	},
	"pg_stat_get_wal_senders":   noRows,
	"pg_stat_get_progress_info": noRows,
	"pg_stat_get_subscription":  noRows,
	"pg_get_replication_slots":  noRows,
	"pg_get_publication_tables": noRows,
	"show_all_file_settings":    noRows,
	"pg_available_extensions": func(Functions, *functions.Ctx, []datum) ([][]datum, error) {
		out := [][]datum{{str("plpgsql"), str("1.0"), str("PL/pgSQL procedural language")}}
		for _, e := range functions.Extensions() {
			out = append(out, []datum{str(e.Name), str(e.Version), str(e.Comment)})
		}
		return out, nil
	},
	"pg_available_extension_versions": func(Functions, *functions.Ctx, []datum) ([][]datum, error) {
		row := func(name, version string, relocatable bool, schema datum, comment string) []datum {
			return []datum{str(name), str(version), flag(true), flag(true), flag(relocatable), schema, null, str(comment)}
		}
		out := [][]datum{row("plpgsql", "1.0", false, str("pg_catalog"), "PL/pgSQL procedural language")}
		for _, e := range functions.Extensions() {
			out = append(out, row(e.Name, e.Version, true, null, e.Comment))
		}
		return out, nil
	},
	"pg_timezone_names": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		now := f.World.Types().StatementNow
		var out [][]datum
		for _, name := range types.ZoneNames() {
			z, ok := types.LookupZone(name)
			if !ok {
				continue
			}
			east, abbrev, dst := z.OffsetAt(now), z.AbbrevAt(now), z.IsDST(now)
			out = append(out, []datum{str(name), str(abbrev), types.Interval{Micros: int64(east) * 1e6}.Datum(), flag(dst)})
		}
		return out, nil
	},
	"pg_timezone_abbrevs": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, z := range types.ZoneAbbrevs(f.World.Types().StatementNow) {
			out = append(out, []datum{str(z.Abbrev), types.Interval{Micros: int64(z.East) * 1e6}.Datum(), flag(z.DST)})
		}
		return out, nil
	},
	"pg_tablespace_databases": func(f Functions, _ *functions.Ctx, a []datum) ([][]datum, error) {
		var out [][]datum
		if oidArg(a[0]) == defaultTablespace {
			f.World.View().Each(catalog.ClassDatabase, func(o catalog.Object) bool {
				out = append(out, []datum{num(o.Head().OID)})
				return true
			})
		}
		return out, nil
	},
}

// noRows answers for features that are never in use here: nothing of the kind can exist.
func noRows(Functions, *functions.Ctx, []datum) ([][]datum, error) { return nil, nil }

func bootValue(s Setting, v string) datum {
	if v == "" && s.Type != "string" {
		return null
	}
	return str(v)
}

// activityRows is pg_stat_get_activity. Others' statements are hidden from those who
// are neither superusers nor members of the other's role.
func activityRows(f Functions, _ *functions.Ctx, a []datum) ([][]datum, error) {
	var out [][]datum
	role := f.World.View().Role(f.World.User())
	waits := lockWaits(f.World.DB())
	for _, s := range f.World.Activities() {
		if !a[0].Null && int32(a[0].I) != s.PID {
			continue
		}
		row := make([]datum, 30)
		for i := range row {
			row[i] = null
		}
		row[0], row[1], row[2], row[3], row[4] = num(s.Database), num(s.PID), num(s.User), str(s.Application), str(s.State)
		row[17], row[28], row[29] = str("client backend"), null, null
		if s.Internal {
			row[17] = str("background worker")
		}
		if role == nil || !role.Superuser && !f.isMember(role.OID, s.User, true) && !f.isMember(role.OID, 3375, true) {
			row[4], row[5], row[17] = null, str("<insufficient privilege>"), null
			out = append(out, row)
			continue
		}
		row[5] = str(s.Query)
		row[8], row[9], row[10], row[11] = orTime(s.TransactionStart), orTime(s.QueryStart), orTime(s.BackendStart), orTime(s.StateSince)
		switch w, ok := waits[s.PID]; {
		case ok:
			row[6], row[7] = str("Lock"), str(w)
		case s.State != "active":
			row[6], row[7] = str("Client"), str("ClientRead")
		case s.WaitEvent != "":
			class, event, _ := strings.Cut(s.WaitEvent, "/")
			row[6], row[7] = str(class), str(event)
		}
		row[14] = num(-1)
		if host, port, ok := cutLast(s.Client, ":"); ok {
			if d, err := f.World.Types().In(types.InetOID, -1, strings.Trim(host, "[]")); err == nil {
				row[12] = d
			}
			if n, err := strconv.Atoi(port); err == nil {
				row[14] = num(n)
			}
		}
		if s.XID != 0 {
			row[15] = num(uint32(s.XID))
		}
		row[18], row[25], row[27] = flag(s.TLS != nil), flag(false), flag(false)
		if t := s.TLS; t != nil {
			row[19], row[20], row[21] = str(t.Version), str(t.Cipher), num(t.Bits)
			row[22], row[24] = orNull(t.ClientDN), orNull(t.IssuerDN)
			if n, err := types.ParseNumeric(t.ClientSerial); err == nil && t.ClientSerial != "" {
				row[23] = n.Datum()
			}
		}
		out = append(out, row)
	}
	return out, nil
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// nameCalls are to_reg*: the object of a name, NULL where there is none.
var nameCalls = map[string]call{
	"to_regclass": toReg(types.RegclassOID), "to_regcollation": toReg(types.RegcollationOID), "to_regnamespace": toReg(types.RegnamespaceOID),
	"to_regoper": toReg(types.RegoperOID), "to_regoperator": toReg(types.RegoperatorOID), "to_regproc": toReg(types.RegprocOID),
	"to_regprocedure": toReg(types.RegprocedureOID), "to_regrole": toReg(types.RegroleOID), "to_regtype": toReg(types.RegtypeOID),
}

func toReg(reg OID) call {
	return func(f Functions, _ *functions.Ctx, a []datum) (datum, error) {
		oid, err := f.World.Types().Names.ObjectByName(reg, a[0].String())
		if err != nil {
			switch pgerr.From(err).Code {
			case pgerr.UndefinedTable, pgerr.UndefinedObject, pgerr.UndefinedFunction, pgerr.AmbiguousFunction, pgerr.InvalidSchemaName:
				return null, nil
			}
			return null, err
		}
		return num(oid), nil
	}
}
