package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/backup"
	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/task"
	"github.com/omendb/omendb/internal/vfs"
)

// tarSuffix marks backups in one file.
const tarSuffix = ".tar.zst"

func backupCommand() *cobra.Command {
	var url, dir, to, label string
	c := &cobra.Command{
		Use:   "backup",
		Short: "Copy a database while it is in use",
		Long: "Copy a database while it is in use, over a superuser's connection (--url, or the variables PGHOST, PGUSER, …),\n" +
			"or from the directory of a server that is not running (--data-dir).\n\n" +
			"A directory as target keeps any number of backups and takes only data files that it does not have yet;\n" +
			"a name that ends in " + tarSuffix + " becomes one file.",
		RunE: func(c *cobra.Command, _ []string) error {
			if to == "" {
				return usageError{errors.New("--to is needed")}
			}
			src, d, done, err := openSource(c.Context(), url, dir, label)
			if err != nil {
				return err
			}
			defer done()
			return writeBackup(c, src, d, to)
		},
	}
	f := c.Flags()
	f.StringVar(&url, "url", "", "connection to the running server, as postgres://…")
	f.StringVar(&dir, "data-dir", "", "data directory of a server that is not running")
	f.StringVar(&to, "to", "", "target: a directory, or a file *"+tarSuffix)
	f.StringVar(&label, "label", "omendb backup", "what the backup is called")
	c.AddCommand(backupVerifyCommand(), backupListCommand())
	return c
}

// openSource takes the state of a database, by connection or by directory.
func openSource(ctx context.Context, url, dir, label string) (backup.Source, backup.Description, func(), error) {
	if dir == "" {
		r, err := startRemote(ctx, url, label)
		if err != nil {
			return nil, backup.Description{}, nil, err
		}
		return r, r.description, r.close, nil
	}
	db, tasks, err := openEngine(vfs.OS(), dir)
	if err != nil {
		return nil, backup.Description{}, nil, explainOpen(dir, err)
	}
	b, err := db.StartBackup(ctx)
	if err != nil {
		return nil, backup.Description{}, nil, errors.Join(err, db.Close())
	}
	d := backup.Description{Label: label, Server: omendb.Version, Start: uint64(b.Start), Stop: uint64(b.Stop), Time: b.Time, Identity: db.Identity(), Files: b.Files}
	return b, d, func() {
		b.Close()
		_ = db.Close() // the backup is complete; what is in memory is in the log
		tasks.Close()
	}, nil
}

// engineOptions are those of commands that work on a directory without a server.
func engineOptions(fs vfs.FS, dir string, tasks *task.Goroutines) engine.Options {
	return engine.Options{FS: fs, Dir: dir, Clock: clock.System(), Tasks: tasks, Log: zerolog.Nop(), CacheBytes: 64 << 20,
		Fatal: func(err error) { panic(err) }}
}

func newTasks() *task.Goroutines { return task.NewGoroutines(nil) }

// openEngine opens an existing directory without a server around it.
func openEngine(fs vfs.FS, dir string) (*engine.DB, *task.Goroutines, error) {
	if _, err := fs.Stat(filepath.Join(dir, "MANIFEST")); err != nil {
		return nil, nil, fmt.Errorf("%s is not a data directory: %w", dir, err)
	}
	tasks := newTasks()
	db, err := engine.Open(engineOptions(fs, dir, tasks))
	if err != nil {
		tasks.Close()
		if errors.Is(err, vfs.ErrLocked) {
			err = fmt.Errorf("%w: %s", omendb.ErrInUse, dir)
		}
		return nil, nil, err
	}
	return db, tasks, nil
}

// remote is the state of a running server, read over a connection.
type remote struct {
	ctx         context.Context
	conn        *pgx.Conn
	description backup.Description
}

func startRemote(ctx context.Context, url, label string) (*remote, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("%w\nTell how to reach the server with --url, or name the directory of a stopped one with --data-dir", err)
	}
	r := &remote{ctx: ctx, conn: conn}
	var text []byte
	if _, err = conn.Exec(ctx, "SELECT pg_backup_start($1, true)", label); err == nil {
		err = conn.QueryRow(ctx, "SELECT pg_read_binary_file('backup_label')").Scan(&text)
	}
	if err == nil {
		err = json.Unmarshal(text, &r.description)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	r.description.Server = omendb.Version
	return r, nil
}

// ReadAt implements backup.Source.
func (r *remote) ReadAt(name string, p []byte, off int64) (int, error) {
	var b []byte
	err := r.conn.QueryRow(r.ctx, "SELECT pg_read_binary_file($1, $2, $3)", name, off, int64(len(p))).Scan(&b)
	return copy(p, b), err
}

// close ends the session, and the backup with it.
func (r *remote) close() { _ = r.conn.Close(context.WithoutCancel(r.ctx)) }

func writeBackup(c *cobra.Command, src backup.Source, d backup.Description, to string) error {
	bar := newBar(c.ErrOrStderr(), "copied")
	id := time.UnixMicro(d.Time).UTC().Format("20060102T150405.000000Z")
	if !strings.HasSuffix(to, tarSuffix) {
		if err := vfs.OS().MkdirAll(to); err != nil {
			return err
		}
		m, copied, err := backup.Write(c.Context(), src, d, id, backup.Dir{FS: vfs.OS(), Path: to}, bar.show)
		bar.end()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "Backup %s in %s: %d files, %s, of which %s were new; the log up to %d.\n", id, to, len(m.Files), size(m.Bytes()), size(copied), m.Stop)
		return err
	}
	m, err := writeTar(c.Context(), src, d, id, to, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "Backup %s: %d files, %s; the log up to %d.\n", to, len(m.Files), size(m.Bytes()), m.Stop)
	return err
}

// writeTar writes a backup of one file, which has its name only when it is complete.
func writeTar(ctx context.Context, src backup.Source, d backup.Description, id, to string, progress backup.Progress) (m *backup.Manifest, err error) {
	temp := to + ".tmp"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp) // the first error counts
		}
	}()
	t, err := backup.NewTar(f)
	if err == nil {
		m, _, err = backup.Write(ctx, src, d, id, t, progress)
		err = errors.Join(err, t.Close())
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err = os.Rename(temp, to); err != nil {
		return nil, err
	}
	return m, vfs.OS().SyncDir(filepath.Dir(to))
}

// openRepository returns the directory with the backups; one file is unpacked
// into a temporary one beside scratch.
func openRepository(from, scratch string) (dir string, cleanup func(), err error) {
	if info, err := os.Stat(from); err != nil || info.IsDir() {
		return from, func() {}, err
	}
	dir, err = os.MkdirTemp(filepath.Dir(scratch), "omendb-unpack-")
	if err != nil {
		return "", nil, err
	}
	cleanup = func() { _ = os.RemoveAll(dir) }
	f, err := os.Open(from)
	if err == nil {
		err = backup.Unpack(f, from, vfs.OS(), dir)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		cleanup()
		return "", nil, err
	}
	return dir, cleanup, nil
}

func backupListCommand() *cobra.Command {
	var from string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the backups in a directory",
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := backup.List(vfs.OS(), from)
			for _, m := range list {
				fmt.Fprintf(c.OutOrStdout(), "%s  %10s  log up to %-10d  %s\n", m.ID, size(m.Bytes()), m.Stop, m.Label)
			}
			return err
		},
	}
	c.Flags().StringVar(&from, "from", "", "directory with backups")
	return c
}

// bar draws progress on a terminal, and is silent elsewhere.
type bar struct {
	w     io.Writer
	what  string
	shown bool
	last  time.Time
}

func newBar(w io.Writer, what string) *bar { return &bar{w: w, what: what} }

func (b *bar) show(done, total int64) {
	if !isTerminal(b.w) || time.Since(b.last) < 100*time.Millisecond && done < total {
		return
	}
	b.last, b.shown = time.Now(), true
	const width = 30
	n := width
	if total > 0 {
		n = int(min(width, width*done/total))
	}
	fmt.Fprintf(b.w, "\r[%s%s] %s of %s %s ", strings.Repeat("#", n), strings.Repeat(".", width-n), size(done), size(total), b.what)
}

func (b *bar) end() {
	if b.shown {
		fmt.Fprintln(b.w)
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
}
