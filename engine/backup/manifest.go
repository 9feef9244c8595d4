package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/internal/vfs"
)

const (
	kind          = "omendb backup"
	formatVersion = 2 // 2: with system and timeline
	manifestName  = "BACKUP"
	engineName    = "MANIFEST"
	segmentDir    = "segments"
	logDir        = "wal"
	// maxManifestBytes bounds what is read before anything is checked: a million files fit.
	maxManifestBytes = 256 << 20
)

// File is a file of a backup, by its path in the data directory.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Size   int64  `json:"size,omitempty"`
	SHA256 string `json:"sha256"`
}

// Manifest is the file BACKUP.
type Manifest struct {
	Kind     string `json:"kind"`
	Format   int    `json:"format"`
	ID       string `json:"id"`
	Label    string `json:"label"`
	Server   string `json:"server"`
	Start    uint64 `json:"start_lsn"`
	Stop     uint64 `json:"stop_lsn"`
	Time     int64  `json:"stop_time_us"`
	System   uint64 `json:"system,omitempty"` // which database this is of; 0 in format 1
	Timeline uint32 `json:"timeline,omitempty"`
	Files    []File `json:"files"`
	Checksum string `json:"checksum"`
}

// InvalidError says why something is not a backup that can be used.
type InvalidError struct{ File, Reason string }

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.File, e.Reason) }

func (m *Manifest) encode() []byte {
	c := *m
	c.Checksum = ""
	b, err := json.Marshal(&c)
	if err != nil {
		panic(err) // numbers and strings
	}
	c.Checksum = sum(b)
	if b, err = json.MarshalIndent(&c, "", " "); err != nil {
		panic(err)
	}
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Decode reads a file BACKUP; name is for messages.
func Decode(name string, b []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, &InvalidError{name, "not the description of a backup, or cut off: " + err.Error()}
	}
	if m.Kind != kind {
		return nil, &InvalidError{name, "not the description of an OmenDB backup"}
	}
	if m.Format > formatVersion {
		return nil, &InvalidError{name, fmt.Sprintf("backup format %d, this program knows formats up to %d: use the newer program", m.Format, formatVersion)}
	}
	want := m.Checksum
	c := m
	c.Checksum = ""
	plain, err := json.Marshal(&c)
	if err != nil || sum(plain) != want {
		return nil, &InvalidError{name, "damaged: its checksum is wrong"}
	}
	for _, f := range m.Files {
		dir := path.Dir(f.Name)
		if path.Clean(f.Name) != f.Name || f.Name != engineName && dir != segmentDir && dir != logDir || f.Bytes < 0 || f.Size != 0 && f.Size < f.Bytes {
			return nil, &InvalidError{name, fmt.Sprintf("it lists %q, which is no file of a database", f.Name)}
		}
	}
	return &m, nil
}

// Identity says which database the backup is of.
func (m *Manifest) Identity() engine.Identity {
	return engine.Identity{System: m.System, Timeline: m.Timeline}
}

// Bytes returns the size of all files.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}

// List returns the backups of a repository, oldest first.
func List(fs vfs.FS, dir string) ([]*Manifest, error) {
	names, err := fs.List(dir)
	if err != nil {
		return nil, err
	}
	var list []*Manifest
	for _, id := range names {
		if id == segmentDir || id == logDir || strings.HasPrefix(id, ".") {
			continue
		}
		name := path.Join(dir, id, manifestName)
		info, err := fs.Stat(name)
		if err != nil {
			continue // not one, or one that was not finished
		}
		if info.Size() > maxManifestBytes {
			return nil, &InvalidError{name, fmt.Sprintf("%d bytes are too many for the description of a backup", info.Size())}
		}
		b, err := vfs.ReadFile(fs, name)
		if err != nil {
			return nil, err
		}
		m, err := Decode(name, b)
		if err != nil {
			return nil, err
		}
		m.ID = id
		list = append(list, m)
	}
	return list, nil
}
