package wal

import (
	"path"

	"github.com/omendb/omendb/internal/vfs"
)

// Inspect reads one log file as it stands, for tools and tests: it calls fn
// for every record up to the first place where none stands, and returns that
// offset. Nothing is changed; whether the place is the end or damaged only
// Open can tell, which sees the whole log.
func Inspect(fs vfs.FS, name string, fn func(*Record) error) (end int64, err error) {
	gen, ok := parseName(path.Base(name), logSuffix)
	if !ok {
		return 0, &CorruptionError{File: name, Detail: "the name is not that of a log file"}
	}
	f, err := readHeader(fs, path.Dir(name), gen)
	if err != nil {
		return 0, err
	}
	s, err := openScanner(fs, f)
	if err != nil {
		return 0, err
	}
	defer s.close()
	var r Record
	for next := f.first; ; next++ {
		ok, err := s.try(&r)
		if err != nil || !ok || r.Kind == kindMark || r.LSN != next {
			return s.off, err
		}
		if err := fn(&r); err != nil {
			return s.off, err
		}
		s.skip(&r)
	}
}
