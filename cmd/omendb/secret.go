package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/security"
)

// passFile holds the generated password in libpq's pgpass format, readable by
// the owner alone (libpq refuses it otherwise).
const passFile = "pgpass"

// secret is the password of the superuser of a data directory that is being made.
type secret struct {
	file      string // where a generated one goes, "" in memory
	superuser string
	shown     string // a generated one that is in no file
}

func (s *startFlags) newSecret() *secret {
	x := &secret{superuser: s.superuser}
	if s.dataDir != omendb.Memory {
		x.file = filepath.Join(s.dataDir, passFile)
	}
	return x
}

// make returns the password of a fresh database: the configured one, or a
// generated one. The file is on disk before the database knows the password, so
// that a crash in between loses nothing: the next start makes both again.
func (x *secret) make() (string, error) {
	if password := os.Getenv(passwordVariable); password != "" {
		return password, nil
	}
	password, err := security.NewPassword(rand.Reader)
	if err != nil {
		return "", err
	}
	if x.file == "" {
		x.shown = password
		return password, nil
	}
	// Any host, port and database of this user.
	escape := strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace
	line := "*:*:*:" + escape(x.superuser) + ":" + escape(password) + "\n"
	if err := vfs.WriteFile(vfs.OS(), x.file, []byte(line)); err != nil {
		return "", fmt.Errorf("write the generated password: %w", err)
	}
	return password, nil
}

// prefix is what makes psql find the password, for the line to paste.
func (x *secret) prefix() string {
	switch {
	case x.shown != "":
		return "PGPASSWORD=" + x.shown + " "
	case x.file == "":
		return ""
	}
	file, err := filepath.Abs(x.file) // the line may be pasted where another directory is current
	if err != nil {
		file = x.file
	}
	if _, err := os.Stat(file); err != nil {
		return ""
	}
	return "PGPASSFILE=" + quoteShell(file) + " "
}

// quoteShell quotes a word for a shell if it needs it.
func quoteShell(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !(r == '/' || r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}) < 0
	if plain && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
