package syscat

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/backup"
	"github.com/omendb/omendb/sql/functions"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// backupCalls are PostgreSQL's functions for backups, over any connection of a
// superuser:
//
//	SELECT pg_backup_start('label', true)          -- flush; from now on the files stay
//	SELECT pg_read_binary_file('backup_label')     -- which files: JSON of backup.Description
//	SELECT pg_read_binary_file(NAME, 0, 1048576)   -- and what is in them
//	SELECT * FROM pg_backup_stop(false)            -- let the files go
//
// The state is that of the return from pg_backup_start. A session has one
// backup at a time and files can be read during one only.
var backupCalls = map[string]call{
	"pg_backup_start": func(f Functions, c *functions.Ctx, a []datum) (datum, error) {
		if err := superuserOnly(f, "run a backup"); err != nil {
			return null, err
		}
		db, pid := f.World.DB(), c.Session.PID()
		if db.SessionBackup(pid) != nil {
			return null, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "a backup is already in progress in this session")
		}
		b, err := db.StartBackup(c.Context)
		if err != nil {
			return null, err
		}
		b.Label = a[0].String()
		db.SetSessionBackup(pid, b)
		return lsnDatum(b.Start), nil
	},
	"pg_backup_stop": func(f Functions, c *functions.Ctx, _ []datum) (datum, error) {
		db, pid := f.World.DB(), c.Session.PID()
		b := db.SessionBackup(pid)
		if b == nil {
			return null, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "backup is not in progress").WithHint("Did you call pg_backup_start()?")
		}
		text, err := describeBackup(db, b)
		if err != nil {
			return null, err
		}
		db.SetSessionBackup(pid, nil)
		return f.World.Types().MakeRecord([]types.Field{{Type: types.PgLSNOID, Value: lsnDatum(b.Stop)},
			{Type: types.TextOID, Value: str(string(text))}, {Type: types.TextOID, Value: str("")}}), nil
	},
	"pg_create_restore_point": func(f Functions, c *functions.Ctx, a []datum) (datum, error) {
		if err := superuserOnly(f, "create a restore point"); err != nil {
			return null, err
		}
		lsn, err := f.World.DB().RestorePoint(c.Context, a[0].String())
		if err != nil {
			return null, pgerr.New(pgerr.InvalidParameterValue, "%s", err.Error())
		}
		return lsnDatum(lsn), nil
	},
	"pg_switch_wal": func(f Functions, c *functions.Ctx, _ []datum) (datum, error) {
		if err := superuserOnly(f, "switch to a new log file"); err != nil {
			return null, err
		}
		lsn, err := f.World.DB().SwitchLog(c.Context)
		if err != nil {
			return null, err
		}
		return lsnDatum(lsn), nil
	},
	"pg_stat_get_archiver": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		s := f.World.DB().ArchiverStatus()
		text := func(name string) types.Field {
			if name == "" {
				return types.Field{Type: types.TextOID, Value: null}
			}
			return types.Field{Type: types.TextOID, Value: str(name)}
		}
		at := func(t time.Time) types.Field { return types.Field{Type: types.TimestamptzOID, Value: instant(t)} }
		return f.World.Types().MakeRecord([]types.Field{{Type: types.Int8OID, Value: num(s.Count)}, text(s.LastFile), at(s.LastTime),
			{Type: types.Int8OID, Value: num(s.Failed)}, text(s.LastFailedFile), at(s.LastFailedTime), at(s.Since)}), nil
	},
	"pg_control_system": func(f Functions, _ *functions.Ctx, _ []datum) (datum, error) {
		return f.World.Types().MakeRecord([]types.Field{{Type: types.Int4OID, Value: num(controlVersion)}, {Type: types.Int4OID, Value: num(catalogVersion)},
			{Type: types.Int8OID, Value: num(int64(f.World.DB().Identity().System))}, {Type: types.TimestamptzOID, Value: null}}), nil
	},
	"pg_read_binary_file_all":     readBackupFile,
	"pg_read_binary_file_off_len": readBackupFile,
}

// The versions that PostgreSQL 15's control file shows.
const (
	controlVersion = 1300
	catalogVersion = 202209061
)

// maxFileChunk bounds what one call reads into memory.
const maxFileChunk = 64 << 20

// readBackupFile reads files of the session's backup and nothing else.
func readBackupFile(f Functions, c *functions.Ctx, a []datum) (datum, error) {
	if err := superuserOnly(f, "read server files"); err != nil {
		return null, err
	}
	b, name := f.World.DB().SessionBackup(c.Session.PID()), a[0].String()
	if b == nil {
		return null, pgerr.New(pgerr.ObjectNotInPrerequisiteState, "files can be read during a backup only").WithHint("Call pg_backup_start() first.")
	}
	if name == "backup_label" {
		text, err := describeBackup(f.World.DB(), b)
		return datum{B: text}, err
	}
	off, n := int64(0), int64(maxFileChunk)
	if len(a) > 2 {
		off, n = a[1].I, a[2].I
	}
	if off < 0 || n < 0 {
		return null, pgerr.New(pgerr.InvalidParameterValue, "requested length cannot be negative")
	}
	if n > maxFileChunk {
		return null, pgerr.New(pgerr.InvalidParameterValue, "requested length too large")
	}
	for _, file := range b.Files {
		if file.Name == name {
			n = min(n, max(0, file.Bytes-off))
		}
	}
	p := make([]byte, n)
	got, err := b.ReadAt(name, p, off)
	if err != nil {
		return null, pgerr.New(pgerr.UndefinedFile, "could not open file \"%s\" for reading: %s", name, err.Error())
	}
	return datum{B: p[:got]}, nil
}

func describeBackup(db *engine.DB, b *engine.Backup) ([]byte, error) {
	return json.Marshal(backup.Description{Label: b.Label, Server: "omendb", Start: uint64(b.Start), Stop: uint64(b.Stop), Time: b.Time, Identity: db.Identity(), Files: b.Files})
}

func superuserOnly(f Functions, what string) error {
	if r := f.World.View().Role(f.World.User()); r == nil || !r.Superuser {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be superuser to %s", what)
	}
	return nil
}

func lsnDatum(lsn engine.LSN) datum {
	return datum{B: binary.BigEndian.AppendUint64(nil, uint64(lsn))}
}
