package omendb

import (
	"context"
	"errors"

	"github.com/omendb/omendb/engine/backup"
	"github.com/omendb/omendb/internal/vfs"
)

// startArchiver has the log copied to where WithArchive says. An archive of
// another database is refused before anybody can connect.
func (db *DB) startArchiver(fs vfs.FS) error {
	if db.opts.archive == "" {
		return nil
	}
	db.archiver = backup.NewArchiver(db.eng, fs, db.opts.archive)
	var foreign *backup.InvalidError
	if err := backup.Claim(fs, db.opts.archive, db.eng.Identity()); errors.As(err, &foreign) {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	db.stopArchiver = stop
	db.archiver.Run(ctx, db.tasks, db.opts.archiveEvery, func(err error) {
		db.opts.log.Error().Str("event", "archive.failed").Str("archive", db.opts.archive).Err(err).Msg("the log could not be archived; it is kept and tried again")
	})
	return nil
}

// finishArchive copies the end of the log; nobody writes any more.
func (db *DB) finishArchive() {
	if db.archiver == nil {
		return
	}
	db.stopArchiver()
	if err := db.archiver.Round(context.Background()); err != nil {
		db.opts.log.Error().Str("event", "archive.failed").Str("archive", db.opts.archive).Err(err).Msg("the end of the log is not archived yet")
	}
}
