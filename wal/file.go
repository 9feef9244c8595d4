package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/omendb/omendb/internal/vfs"
)

const (
	fileMagic = "OMENWAL\x00"
	// headerBytes keeps the header in a sector of its own, which no append
	// ever writes again.
	headerBytes   = 512
	headerCRC     = 64
	logSuffix     = ".wal"
	spareSuffix   = ".spare"
	nameDigits    = 10
	minFileBytes  = 4096
	fileBlockSize = 4096
)

// logFile is one file of the chain.
type logFile struct {
	name   string // path
	gen    uint32
	prev   uint32
	first  LSN
	term   uint64
	durab  LSN // durable-up-to when the file began
	salt   uint64
	time   int64
	size   int64
	seed   uint32   // of record checksums
	handle vfs.File // open only while it is the current file
}

func logName(dir string, gen uint32) string {
	return path.Join(dir, fmt.Sprintf("%0*d%s", nameDigits, gen, logSuffix))
}

func spareName(dir string, n uint64) string {
	return path.Join(dir, fmt.Sprintf("%0*d%s", nameDigits, n, spareSuffix))
}

// parseName returns the number of a file with the given suffix.
func parseName(name, suffix string) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != nameDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil
}

// encodeHeader returns the file's first sector.
func (f *logFile) encodeHeader() []byte {
	b := make([]byte, headerBytes)
	le := binary.LittleEndian
	copy(b, fileMagic)
	le.PutUint16(b[8:], FormatVersion)
	le.PutUint32(b[12:], f.gen)
	le.PutUint32(b[16:], f.prev)
	le.PutUint64(b[24:], uint64(f.first))
	le.PutUint64(b[32:], f.term)
	le.PutUint64(b[40:], uint64(f.durab))
	le.PutUint64(b[48:], f.salt)
	le.PutUint64(b[56:], uint64(f.time))
	le.PutUint32(b[headerCRC:], crc32.Checksum(b[:headerCRC], castagnoli))
	return b
}

// decodeHeader fills f from the first bytes of the file called f.name.
func (f *logFile) decodeHeader(b []byte) error {
	damaged := func(detail string) error { return &CorruptionError{File: f.name, Detail: detail} }
	if len(b) < headerCRC+4 {
		return damaged("the file is shorter than its header")
	}
	le := binary.LittleEndian
	if string(b[:8]) != fileMagic {
		return damaged("the file does not start as a log file does")
	}
	if le.Uint32(b[headerCRC:]) != crc32.Checksum(b[:headerCRC], castagnoli) {
		return damaged("the file header's checksum is wrong")
	}
	if v := int(le.Uint16(b[8:])); v != FormatVersion {
		return &VersionError{File: f.name, Version: v}
	}
	f.gen = le.Uint32(b[12:])
	f.prev = le.Uint32(b[16:])
	f.first = LSN(le.Uint64(b[24:]))
	f.term = le.Uint64(b[32:])
	f.durab = LSN(le.Uint64(b[40:]))
	f.salt = le.Uint64(b[48:])
	f.time = int64(le.Uint64(b[56:]))
	f.seed = crcSeed(f.salt, f.gen)
	return nil
}

// readHeader opens the file of generation gen far enough to know it.
func readHeader(fs vfs.FS, dir string, gen uint32) (*logFile, error) {
	f := &logFile{name: logName(dir, gen)}
	h, err := fs.Open(f.name)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	b := make([]byte, headerBytes)
	n, err := h.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err := f.decodeHeader(b[:n]); err != nil {
		return nil, err
	}
	if f.gen != gen {
		return nil, &CorruptionError{File: f.name, Detail: fmt.Sprintf("the header belongs to generation %d", f.gen)}
	}
	f.size, err = h.Size()
	return f, err
}
