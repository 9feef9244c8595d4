package engine

import (
	"path"
	"time"
)

// ModelTime returns when a segment's model was fitted, which is when its file was written: neither changes after that.
// It is zero where the segment is gone or the file system knows no times.
func (db *DB) ModelTime(segment string) time.Time {
	info, err := db.opts.FS.Stat(path.Join(db.opts.Dir, segmentDir, segment))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
