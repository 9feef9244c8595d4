package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	iofs "io/fs"
	"path"
	"strconv"

	"github.com/omendb/omendb/internal/vfs"
)

// The file SYSTEM says which database a directory holds, so that backups and
// archived logs of another one are told apart:
//
//	+----------+---------+-----------+----------+-----------------------+
//	| magic 8  | u32     | u64       | u32      | u32 CRC-32C of all    |
//	| OMENSYST | version | system id | timeline | bytes before          |
//	+----------+---------+-----------+----------+-----------------------+
//
// A restored directory has the system id of the one that was backed up and the
// next timeline: its log is another history. A directory of an earlier version
// gets the file when it is opened.
const (
	identityName    = "SYSTEM"
	identityMagic   = "OMENSYST"
	identityVersion = 1
	identityBytes   = 28
)

// Identity tells databases and their histories apart.
type Identity struct {
	System   uint64
	Timeline uint32
}

// IsZero reports an identity that is not known.
func (i Identity) IsZero() bool { return i == Identity{} }

// String writes the identity for people.
func (i Identity) String() string {
	return strconv.FormatUint(i.System, 10) + " (timeline " + strconv.FormatUint(uint64(i.Timeline), 10) + ")"
}

func (i Identity) encode() []byte {
	b := binary.LittleEndian.AppendUint32([]byte(identityMagic), identityVersion)
	b = binary.LittleEndian.AppendUint64(b, i.System)
	b = binary.LittleEndian.AppendUint32(b, i.Timeline)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// DecodeIdentity reads the content of a file SYSTEM; name is for messages.
func DecodeIdentity(name string, b []byte) (Identity, error) {
	if len(b) < 16 || string(b[:8]) != identityMagic {
		return Identity{}, &CorruptionError{File: name, Detail: "does not say which database this is"}
	}
	// Every version ends with this checksum, so that damage does not pass for a newer one.
	if crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return Identity{}, &CorruptionError{File: name, Detail: "checksum mismatch"}
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != identityVersion {
		return Identity{}, &VersionError{File: name, Version: int(v), Known: identityVersion}
	}
	if len(b) != identityBytes {
		return Identity{}, &CorruptionError{File: name, Detail: "has the wrong length"}
	}
	return Identity{System: binary.LittleEndian.Uint64(b[12:]), Timeline: binary.LittleEndian.Uint32(b[20:])}, nil
}

// ReadIdentity returns what the file SYSTEM of a directory says, zero when there is none.
func ReadIdentity(fs vfs.FS, dir string) (Identity, error) {
	name := path.Join(dir, identityName)
	info, err := fs.Stat(name)
	if errors.Is(err, iofs.ErrNotExist) {
		return Identity{}, nil
	}
	if err != nil {
		return Identity{}, err
	}
	if info.Size() > 1<<10 {
		return Identity{}, &CorruptionError{File: name, Detail: fmt.Sprintf("size of %d bytes", info.Size())}
	}
	b, err := vfs.ReadFile(fs, name)
	if err != nil {
		return Identity{}, err
	}
	return DecodeIdentity(name, b)
}

// WriteIdentity writes the file SYSTEM of a directory.
func WriteIdentity(fs vfs.FS, dir string, i Identity) error {
	name := path.Join(dir, identityName)
	if err := writeFile(fs, name+".tmp", i.encode()); err != nil {
		return fmt.Errorf("write %s: %w", identityName, err)
	}
	if err := fs.Rename(name+".tmp", name); err != nil {
		return fmt.Errorf("write %s: %w", identityName, err)
	}
	return fs.SyncDir(dirName(dir))
}

// identify reads the directory's identity and makes one where there is none.
// The time of the first start, in microseconds, is unlikely to be another database's.
func (db *DB) identify() (err error) {
	if db.identity, err = ReadIdentity(db.opts.FS, db.opts.Dir); err != nil || !db.identity.IsZero() {
		return err
	}
	dir := uint64(crc32.Checksum([]byte(db.opts.Dir), castagnoli))
	db.identity = Identity{System: uint64(db.opts.Clock.Now().UnixMicro())<<12 | dir&0xfff, Timeline: 1}
	return ioError(WriteIdentity(db.opts.FS, db.opts.Dir, db.identity))
}

// Identity tells which database this is.
func (db *DB) Identity() Identity { return db.identity }
