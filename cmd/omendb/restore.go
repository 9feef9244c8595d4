package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/backup"
	"github.com/omendb/omendb/internal/vfs"
)

func restoreCommand() *cobra.Command {
	var from, id, dir, toTime, toLSN string
	var t backup.Target
	c := &cobra.Command{
		Use:   "restore",
		Short: "Make a data directory of a backup",
		Long: "Make a data directory of a backup, checking every byte.\n\n" +
			"With --archive the archived log goes on where the backup ends; --to-time, --to-lsn and --to-label end it earlier.",
		RunE: func(c *cobra.Command, _ []string) error {
			if from == "" || dir == "" {
				return usageError{errors.New("--from and --data-dir are needed")}
			}
			if toTime != "" {
				at, err := time.Parse(time.RFC3339Nano, toTime)
				if err != nil {
					return usageError{fmt.Errorf("--to-time wants a time like 2026-11-23T02:05:00Z: %w", err)}
				}
				t.Time = at
			}
			lsn, err := parseLSN(toLSN)
			if err != nil {
				return usageError{err}
			}
			t.LSN = lsn
			repo, cleanup, err := openRepository(from, dir)
			if err != nil {
				return err
			}
			defer cleanup()
			m, err := backup.Choose(vfs.OS(), repo, id, t)
			if err != nil {
				return err
			}
			bar := newBar(c.ErrOrStderr(), "restored")
			last, err := backup.Restore(c.Context(), vfs.OS(), repo, m, dir, t, bar.show)
			bar.end()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Restored backup %s into %s, with the log up to %d.\nStart the server:  omendb start --data-dir %s\n", m.ID, dir, last, dir)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "directory with backups, or a file *"+tarSuffix)
	f.StringVar(&id, "backup", "", "which backup (see omendb backup list); the newest that fits without it")
	f.StringVar(&dir, "data-dir", "", "directory to make")
	f.StringVar(&t.Archive, "archive", "", "directory with the archived log")
	f.StringVar(&toLSN, "to-lsn", "", "end with this record of the log: a number, or as pg_current_wal_lsn() gives it")
	f.StringVar(&toTime, "to-time", "", "end with the last record that is not later")
	f.StringVar(&t.Label, "to-label", "", "end with a restore point (pg_create_restore_point)")
	return c
}

// parseLSN reads a position of the log, as a number or as pg_lsn; "" is 0.
func parseLSN(s string) (uint64, error) {
	high, low, slash := strings.Cut(s, "/")
	if !slash {
		if s == "" {
			return 0, nil
		}
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q is no position of the log: use a number, or 0/1A2B as pg_current_wal_lsn() gives it", s)
		}
		return n, nil
	}
	h, err := strconv.ParseUint(high, 16, 32)
	l, err2 := strconv.ParseUint(low, 16, 32)
	if err != nil || err2 != nil {
		return 0, fmt.Errorf("%q is no position of the log: use a number, or 0/1A2B as pg_current_wal_lsn() gives it", s)
	}
	return h<<32 | l, nil
}

func backupVerifyCommand() *cobra.Command {
	var from, id, scratch string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Restore a backup into a scratch directory and check what comes out",
		RunE: func(c *cobra.Command, _ []string) error {
			if from == "" {
				return usageError{errors.New("--from is needed")}
			}
			dir, err := os.MkdirTemp(scratch, "omendb-verify-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			target := filepath.Join(dir, "data")
			repo, cleanup, err := openRepository(from, target)
			if err != nil {
				return err
			}
			defer cleanup()
			m, err := backup.Choose(vfs.OS(), repo, id, backup.Target{})
			if err != nil {
				return err
			}
			bar := newBar(c.ErrOrStderr(), "restored")
			_, err = backup.Restore(c.Context(), vfs.OS(), repo, m, target, backup.Target{}, bar.show)
			bar.end()
			if err != nil {
				return err
			}
			bytes, err := inspect(c, target)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Backup %s is good: restored, recovered up to record %d, %s of data files verified.\n", m.ID, m.Stop, size(bytes))
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&from, "from", "", "directory with backups, or a file *"+tarSuffix)
	f.StringVar(&id, "backup", "", "which backup; the newest without it")
	f.StringVar(&scratch, "scratch", "", "where to restore; the system's temporary directory without it")
	return c
}

func verifyCommand() *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Read every byte of a data directory and report damage",
		Long:  "Read every byte of a data directory that no server uses, and report damaged files. Nothing is changed.",
		RunE: func(c *cobra.Command, _ []string) error {
			bytes, err := inspect(c, dir)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s is good: manifest, log, and %s of data files.\n", dir, size(bytes))
			return err
		},
	}
	c.Flags().StringVar(&dir, "data-dir", defaultDataDir, "data directory")
	return c
}

// inspect checks a directory and writes what is damaged.
func inspect(c *cobra.Command, dir string) (int64, error) {
	if _, err := os.Stat(dir); err != nil {
		return 0, err
	}
	tasks := newTasks()
	defer tasks.Close()
	bar := newBar(c.ErrOrStderr(), "verified")
	damaged := map[string]bool{}
	bytes, err := engine.Inspect(c.Context(), engineOptions(vfs.OS(), dir, tasks), func(d engine.Damage) {
		damaged[d.File] = true
		fmt.Fprintf(c.OutOrStdout(), "DAMAGED %s: %v\n", d.File, d.Err)
		if d.Store != 0 {
			fmt.Fprintf(c.OutOrStdout(), "        table or index %q (store %d), at offset %d, keys %x to %x\n", d.Name, d.Store, d.Offset, d.Min, d.Max)
		}
	}, bar.show)
	bar.end()
	if err != nil {
		return bytes, explainOpen(dir, err)
	}
	if len(damaged) > 0 {
		return bytes, fmt.Errorf("%d files are damaged; restore a backup (omendb restore), or see omendb recover for damage in the log", len(damaged))
	}
	return bytes, nil
}

func recoverCommand() *cobra.Command {
	var dir string
	var lsn uint64
	var sure bool
	c := &cobra.Command{
		Use:   "recover",
		Short: "Give up the end of a damaged log",
		Long: "Give up what a damaged log holds behind a record. Commits after it are LOST, acknowledged or not: restore a backup\n" +
			"with an archived log instead if you have one. The files that are changed are kept in a folder beside the log.",
		RunE: func(c *cobra.Command, _ []string) error {
			if lsn == 0 || !sure {
				return usageError{errors.New("--to-lsn and --accept-loss are needed: commits after that record will be gone")}
			}
			if err := engine.RecoverTo(vfs.OS(), dir, engine.LSN(lsn)); err != nil {
				return explainOpen(dir, err)
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "The log of %s ends with record %d now.\n", dir, lsn)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "data-dir", defaultDataDir, "data directory")
	f.Uint64Var(&lsn, "to-lsn", 0, "the last record to keep")
	f.BoolVar(&sure, "accept-loss", false, "yes, commits after that record may be lost")
	return c
}
