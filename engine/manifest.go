package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	iofs "io/fs"
	"path"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/internal/vfs"
)

// The manifest is the only truth about which files are live. It is replaced as
// a whole: written under a temporary name, synced, renamed, the directory synced.
//
//	+----------+---------+--------+------+------------------------+
//	| magic 8  | u32     | u32    | body | u32 CRC-32C of all     |
//	| OMENMANI | version | length |      | bytes before           |
//	+----------+---------+--------+------+------------------------+
//
// docs/format/manifest.md describes the body.
const (
	manifestName    = "MANIFEST"
	manifestTemp    = "MANIFEST.tmp"
	manifestMagic   = "OMENMANI"
	manifestVersion = 3
	manifestHeader  = 16
)

// maxManifestBytes bounds what is read at start: a million segments and stores fit.
const maxManifestBytes = 1 << 30

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// manifest is the durable state beside the log.
type manifest struct {
	applied   LSN // all writes up to here are in segments
	catalog   LSN // definitions, sequences and segment lists are as of here; not below applied
	xid       uint64
	store     uint64
	nonce     uint64 // of the newest segment
	stores    []manifestStore
	sequences []manifestSequence
	prepared  []preparedRecord // from version 2 on
}

type manifestStore struct {
	def      StoreDef
	segments []manifestSegment // newest first
	horizons horizons          // from version 3 on
}

type manifestSegment struct {
	name  string
	level int
	stamp uint64 // the commit timestamp of all rows of a bulk-loaded segment; else 0
}

type manifestSequence struct {
	id    StoreID
	state SequenceState
}

func (m *manifest) encode() []byte {
	e := encoder{b: make([]byte, manifestHeader, 1<<12)}
	e.uvarint(uint64(m.applied))
	e.uvarint(uint64(m.catalog))
	e.uvarint(m.xid)
	e.uvarint(m.store)
	e.uvarint(m.nonce)
	e.uvarint(uint64(len(m.stores)))
	for i := range m.stores {
		s := &m.stores[i]
		e.def(&s.def)
		e.uvarint(uint64(len(s.segments)))
		for _, g := range s.segments {
			e.string(g.name)
			e.uvarint(uint64(g.level))
			e.uvarint(g.stamp)
		}
		e.uvarint(uint64(len(s.horizons)))
		for _, h := range s.horizons {
			e.uvarint(h.from)
			e.uvarint(uint64(h.column))
			e.varint(h.before)
			e.uvarint(h.last)
		}
	}
	e.uvarint(uint64(len(m.sequences)))
	for _, q := range m.sequences {
		e.uvarint(uint64(q.id))
		e.varint(q.state.Last)
		e.bool(q.state.Called)
	}
	e.uvarint(uint64(len(m.prepared)))
	for _, p := range m.prepared {
		e.uvarint(uint64(p.lsn))
		e.bytes(p.body)
	}
	copy(e.b, manifestMagic)
	binary.LittleEndian.PutUint32(e.b[8:], manifestVersion)
	binary.LittleEndian.PutUint32(e.b[12:], uint32(len(e.b)-manifestHeader))
	return binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli))
}

func decodeManifest(b []byte) (*manifest, error) {
	damaged := func(offset int, detail string) error {
		return &CorruptionError{File: manifestName, Offset: int64(offset), Detail: detail}
	}
	if len(b) < manifestHeader+4 || string(b[:8]) != manifestMagic {
		return nil, damaged(0, "not a manifest")
	}
	body := b[manifestHeader : len(b)-4]
	if int(binary.LittleEndian.Uint32(b[12:])) != len(body) {
		return nil, damaged(12, "length does not match the file's")
	}
	if crc32.Checksum(b[:len(b)-4], castagnoli) != binary.LittleEndian.Uint32(b[len(b)-4:]) {
		return nil, damaged(len(b)-4, "checksum mismatch")
	}
	// Length and checksum stand where they do in every version, so that damage does not pass for a newer one.
	version := binary.LittleEndian.Uint32(b[8:])
	if version > manifestVersion {
		return nil, &VersionError{File: manifestName, Version: int(version), Known: manifestVersion}
	}
	m, d := &manifest{}, decoder{b: body}
	m.applied, m.catalog = LSN(d.uvarint()), LSN(d.uvarint())
	m.xid, m.store, m.nonce = d.uvarint(), d.uvarint(), d.uvarint()
	for range d.count() {
		s := manifestStore{def: d.def()}
		for range d.count() {
			s.segments = append(s.segments, manifestSegment{name: d.string(), level: int(d.uvarint()), stamp: d.uvarint()})
		}
		if version >= 3 {
			for range d.count() {
				h := horizon{from: d.uvarint(), column: int(d.uvarint()), before: d.varint(), last: d.uvarint()}
				if h.column < 0 || h.column >= len(s.def.Columns) || s.def.Columns[h.column].Kind != column.Int {
					d.fail()
				}
				s.horizons = append(s.horizons, h)
			}
		}
		m.stores = append(m.stores, s)
	}
	for range d.count() {
		m.sequences = append(m.sequences, manifestSequence{StoreID(d.uvarint()), SequenceState{Last: d.varint(), Called: d.bool()}})
	}
	if version >= 2 {
		for range d.count() {
			m.prepared = append(m.prepared, preparedRecord{lsn: LSN(d.uvarint()), body: d.bytes()})
		}
	}
	if d.err != nil || len(d.b) > 0 {
		return nil, damaged(manifestHeader, "body does not parse")
	}
	return m, nil
}

// readManifest returns the directory's manifest, nil when there is none.
func readManifest(fs vfs.FS, dir string) (*manifest, error) {
	f, err := fs.Open(path.Join(dir, manifestName))
	if errors.Is(err, iofs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open manifest: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("open manifest: %w", err)
	}
	if size > maxManifestBytes {
		return nil, &CorruptionError{File: manifestName, Detail: fmt.Sprintf("size of %d bytes", size)}
	}
	b := make([]byte, size)
	if n, err := f.ReadAt(b, 0); n < len(b) {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	return decodeManifest(b)
}

// writeManifest replaces the directory's manifest.
func writeManifest(fs vfs.FS, dir string, m *manifest) error {
	temp := path.Join(dir, manifestTemp)
	if err := writeFile(fs, temp, m.encode()); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := fs.Rename(temp, path.Join(dir, manifestName)); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := fs.SyncDir(dirName(dir)); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}

// dirName is a directory's name for the file system; "" is its root.
func dirName(dir string) string {
	if dir == "" {
		return "."
	}
	return dir
}

func writeFile(fs vfs.FS, name string, b []byte) error {
	f, err := fs.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
