package syscat

import (
	"math"
	"time"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/types"
)

// statCalls are the statistics of the whole server, summed up from the events of log and engine.
var statCalls = map[string]call{
	"pg_stat_get_wal": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		t := f.World.Happened(event.WALSync)
		return f.World.Types().MakeRecord([]types.Field{count(t.Count), count(0),
			{Type: types.NumericOID, Value: types.NumericFromUint64(uint64(t.Bytes)).Datum()}, count(0), count(t.Times), count(t.Times),
			{Type: types.Float8OID, Value: float(0)}, {Type: types.Float8OID, Value: float(milliseconds(t.Duration))}, f.started()}), nil
	},
	"pg_stat_get_recovery_prefetch": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		row := []types.Field{f.started()}
		for range 6 {
			row = append(row, count(0))
		}
		for range 3 {
			row = append(row, types.Field{Type: types.Int4OID, Value: num(0)})
		}
		return f.World.Types().MakeRecord(row), nil
	},
	"pg_stat_get_bgwriter_timed_checkpoints": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return num(f.World.Happened(event.Checkpoint).Times), nil
	},
	"pg_stat_get_bgwriter_buf_written_checkpoints": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return num((f.World.Happened(event.Checkpoint).Bytes + pageBytes - 1) / pageBytes), nil
	},
	"pg_stat_get_checkpoint_write_time": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return float(milliseconds(f.World.Happened(event.Checkpoint).Duration)), nil
	},
	"pg_stat_get_buf_alloc": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return num(f.World.DB().CacheStats().Misses), nil
	},
}

func count(n int64) types.Field { return types.Field{Type: types.Int8OID, Value: num(n)} }

func (f Functions) started() types.Field {
	return types.Field{Type: types.TimestamptzOID, Value: num(f.World.Started())}
}

// milliseconds returns a duration to the microsecond.
func milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// statSets are what PostgreSQL tells of its own parts. Those that have no counterpart here have counted nothing.
var statSets = map[string]set{
	"pg_stat_get_slru": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, name := range []string{"CommitTs", "MultiXactMember", "MultiXactOffset", "Notify", "Serial", "Subtrans", "Xact", "other"} {
			out = append(out, []datum{str(name), num(0), num(0), num(0), num(0), num(0), num(0), num(0), num(f.World.Started())})
		}
		return out, nil
	},
	"pg_get_shmem_allocations": func(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
		s := f.World.DB().CacheStats()
		return [][]datum{{str("block cache"), num(0), num(s.Limit), num(s.Limit)}}, nil
	},
	"pg_config": func(_ Functions, c *functions.Ctx, _ []datum) ([][]datum, error) {
		var out [][]datum
		for _, name := range []string{"BINDIR", "DOCDIR", "HTMLDIR", "INCLUDEDIR", "PKGINCLUDEDIR", "INCLUDEDIR-SERVER", "LIBDIR", "PKGLIBDIR",
			"LOCALEDIR", "MANDIR", "SHAREDIR", "SYSCONFDIR", "PGXS", "CONFIGURE", "CC", "CPPFLAGS", "CFLAGS", "CFLAGS_SL", "LDFLAGS", "LDFLAGS_EX",
			"LDFLAGS_SL", "LIBS"} {
			out = append(out, []datum{str(name), str("not recorded")})
		}
		version, _ := c.Session.Info(functions.InfoVersion)
		return append(out, []datum{str("VERSION"), str("PostgreSQL " + version)}), nil
	},
	"pg_hba_file_rules":                 noRows, // who may connect is no file's matter
	"pg_ident_file_mappings":            noRows,
	"pg_show_replication_origin_status": noRows,
}
