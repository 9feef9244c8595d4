package engine

import (
	"context"
	"sync"
	"time"
)

// ArchiverStatus is what the archiver of the log has done since the database was opened.
type ArchiverStatus struct {
	Count          int64 // whole log files
	LastFile       string
	LastTime       time.Time
	Failed         int64
	LastFailedFile string
	LastFailedTime time.Time
	Since          time.Time
}

// archiving is the state of an archiver, which lives in package backup.
type archiving struct {
	mu     sync.Mutex
	status ArchiverStatus
	hold   *Backup // keeps log and segments until the first round; Options.Archive
}

// NoteArchived counts a log file, or what could not be archived.
func (db *DB) NoteArchived(file string, err error) {
	a := &db.archiving
	a.mu.Lock()
	defer a.mu.Unlock()
	now := db.opts.Clock.Now()
	if err != nil {
		a.status.Failed++
		a.status.LastFailedFile, a.status.LastFailedTime = file, now
		return
	}
	a.status.Count++
	a.status.LastFile, a.status.LastTime = file, now
}

// ArchiverStatus returns what the archiver has done.
func (db *DB) ArchiverStatus() ArchiverStatus {
	a := &db.archiving
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}

// holdForArchive keeps everything from the first record on, from before recovery
// can let go of it.
func (db *DB) holdForArchive() {
	a := &db.archiving
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status.Since = db.opts.Clock.Now()
	if db.opts.Archive {
		a.hold = &Backup{db: db, pin: db.backups.pin(), release: db.log.Hold(db.log.First())}
	}
}

// TakeArchiveHold hands over what Options.Archive keeps; nil without it.
func (db *DB) TakeArchiveHold() *Backup {
	a := &db.archiving
	a.mu.Lock()
	defer a.mu.Unlock()
	h := a.hold
	a.hold = nil
	return h
}

// LogFiles counts the files that the log has begun since the database was made.
func (db *DB) LogFiles() uint32 { return db.log.Stats().Generation }

// SwitchLog ends the current log file, so that an archiver can take it whole. It
// returns the last record in it.
func (db *DB) SwitchLog(ctx context.Context) (LSN, error) {
	lsn, err := db.log.Switch(ctx)
	return lsn, ioError(err)
}
