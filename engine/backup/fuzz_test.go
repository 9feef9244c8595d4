package backup

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzBackupManifest takes any bytes for the file BACKUP, as they are and with a right checksum: refused by class, or good for
// another round.
func FuzzBackupManifest(f *testing.F) {
	m := &Manifest{Kind: kind, Format: formatVersion, ID: "x", Start: 1, Stop: 9, System: 4, Timeline: 1,
		Files: []File{{Name: engineName, Bytes: 3}, {Name: "segments/aa.seg", Bytes: 4, SHA256: "aa"}, {Name: "wal/0000000001.wal", Bytes: 5, Size: 9}}}
	f.Add(m.encode())
	f.Add([]byte(`{"kind":"omendb backup","format":1,"files":[{"name":"../../etc/passwd"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		decode := func(b []byte) *Manifest {
			m, err := Decode("BACKUP", b)
			var invalid *InvalidError
			if err != nil && !errors.As(err, &invalid) {
				t.Fatal(err)
			}
			return m
		}
		decode(b)
		var any Manifest
		if json.Unmarshal(b, &any) != nil {
			return
		}
		if m := decode(any.encode()); m != nil {
			if m.Bytes(); decode(m.encode()) == nil {
				t.Fatal("what was decoded is refused")
			}
		}
	})
}
