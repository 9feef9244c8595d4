package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"path"

	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
)

// The durable mark beside the log. What stands in the log vouches for the
// records before it, and nothing in it for the last ones: when they are lost
// together with all that follows, the log looks as if it had ended earlier. So
// the mark is kept a second time, in a file of its own, which is written behind
// every sync and before anybody is told of it. It is not synced: whatever of it
// is on the disk was true, because the records were synced before.
//
//	 0 magic "OMENMARK"        8    24  sequence number       8
//	 8 format version          2    32  durable-up-to LSN     8
//	10 zero                    2    40  salt of that file     8
//	12 generation of the       4    48  CRC of bytes 0..47    4
//	   current log file
//	16 zero                    8
//
// Two such slots, 512 bytes apart, take turns: a write that a power failure
// tears leaves the other.
const (
	markName    = "durable.mark"
	markMagic   = "OMENMARK"
	markBytes   = 52
	markCRC     = 48
	markSlot    = 512
	markVersion = 1
)

// markFile is the mark and the place of the next one.
type markFile struct {
	handle vfs.File // nil = there is no room for one
	seq    uint64
	buf    [markBytes]byte
}

// durableMark is what a slot says.
type durableMark struct {
	gen     uint32
	seq     uint64
	durable LSN
	salt    uint64
}

func (m *durableMark) encode(b []byte) {
	le := binary.LittleEndian
	clear(b)
	copy(b, markMagic)
	le.PutUint16(b[8:], markVersion)
	le.PutUint32(b[12:], m.gen)
	le.PutUint64(b[24:], m.seq)
	le.PutUint64(b[32:], uint64(m.durable))
	le.PutUint64(b[40:], m.salt)
	le.PutUint32(b[markCRC:], crc32.Checksum(b[:markCRC], castagnoli))
}

func (m *durableMark) decode(b []byte) bool {
	le := binary.LittleEndian
	if len(b) < markBytes || string(b[:8]) != markMagic || le.Uint32(b[markCRC:]) != crc32.Checksum(b[:markCRC], castagnoli) ||
		le.Uint16(b[8:]) != markVersion {
		return false
	}
	*m = durableMark{gen: le.Uint32(b[12:]), seq: le.Uint64(b[24:]), durable: LSN(le.Uint64(b[32:])), salt: le.Uint64(b[40:])}
	return true
}

// readMark returns the newest mark beside the log in a directory, zero when
// there is none. Damage to both slots is told, but takes away evidence only.
func readMark(disk vfs.FS, dir string, events event.Sink) (durableMark, error) {
	name := path.Join(dir, markName)
	b, err := vfs.ReadFile(disk, name)
	if errors.Is(err, fs.ErrNotExist) {
		return durableMark{}, nil
	}
	if err != nil {
		return durableMark{}, err
	}
	var best durableMark
	valid, written := false, false
	for at := 0; at < len(b); at += markSlot {
		slot := b[at:min(at+markBytes, len(b))]
		for _, c := range slot {
			written = written || c != 0
		}
		if m := (durableMark{}); m.decode(slot) {
			if !valid || m.seq > best.seq {
				best = m
			}
			valid = true
		}
	}
	if written && !valid {
		events.Emit(event.Event{Name: event.Corruption, File: name, Detail: "no durable mark can be read; the log is judged without it"})
	}
	return best, nil
}

// applies reports whether the mark speaks of this log: a file that was begun
// later and starts below it has voided what it speaks of, and a file of the same
// generation with another salt belongs to another history.
func (m *durableMark) applies(chain []*logFile) bool {
	for _, f := range chain {
		if f.gen > m.gen && f.first <= m.durable || f.gen == m.gen && f.salt != m.salt {
			return false
		}
	}
	return true
}

// openMark makes the mark ready for writing, after the log has been found good.
func (l *Log) openMark(m durableMark) error {
	name := path.Join(l.opts.Dir, markName)
	l.mark.seq = m.seq
	h, err := l.opts.FS.OpenReadWrite(name)
	if errors.Is(err, fs.ErrNotExist) {
		if h, err = l.opts.FS.Create(name); err == nil {
			if err = h.Preallocate(2 * markSlot); err == nil {
				err = h.Sync()
			}
			if err == nil {
				err = l.opts.FS.SyncDir(path.Clean(l.opts.Dir))
			}
		}
	}
	if err != nil {
		if h != nil {
			h.Close()
		}
		if isSpace(err) {
			return nil // the log can do without
		}
		return err
	}
	l.mark.handle = h
	l.noteDurable()
	return nil
}

// noteDurable writes the mark. It may fail: it is evidence for recovery, and
// nothing depends on it.
func (l *Log) noteDurable() {
	if l.mark.handle == nil {
		return
	}
	m := durableMark{gen: l.cur.gen, seq: l.mark.seq + 1, durable: l.Durable(), salt: l.cur.salt}
	m.encode(l.mark.buf[:])
	if _, err := l.mark.handle.WriteAt(l.mark.buf[:], int64(m.seq%2)*markSlot); err == nil {
		l.mark.seq++
	}
}

// closeMark leaves the mark on the disk.
func (l *Log) closeMark() {
	if l.mark.handle != nil {
		_ = l.mark.handle.Sync() // evidence only, like the rest
		l.mark.handle.Close()
	}
}
