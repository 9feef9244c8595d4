package sql

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/privilege"
)

// The predefined roles whose members may use the server's files and programs.
const (
	pgReadServerFiles      catalog.OID = 4569
	pgWriteServerFiles     catalog.OID = 4570
	pgExecuteServerProgram catalog.OID = 4571
)

// mayCopyFile checks COPY from or to a file or a program of the server.
func (x *Session) mayCopyFile(c *plan.Copy) error {
	role, name, what := pgWriteServerFiles, "pg_write_server_files", "to a file"
	switch {
	case c.Program:
		role, name, what = pgExecuteServerProgram, "pg_execute_server_program", "to or from an external program"
	case c.From:
		role, name, what = pgReadServerFiles, "pg_read_server_files", "from a file"
	}
	if !x.isSuperuser() && !privilege.Member(x.view, x.user, role, true) {
		return pgerr.New(pgerr.InsufficientPrivilege, "must be superuser or have privileges of the %s role to COPY %s", name, what).
			WithHint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.")
	}
	if c.Program {
		return pgerr.New(pgerr.FeatureNotSupported, "COPY from or to a program of the server is not supported").
			WithHint("Use COPY FROM STDIN or COPY TO STDOUT, or psql's \\copy.")
	}
	return nil
}

// fileMode is what others may do with a file that COPY writes: read it, as in PostgreSQL.
const fileMode = 0o644

// copyFrom opens a file of the server to read, made for COPY FROM.
func copyFrom(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, copyFileError(name, "reading", err).WithHint("COPY FROM instructs the PostgreSQL server process to read a file. You may want a client-side facility such as psql's \\copy.")
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, pgerr.New(pgerr.WrongObjectType, "\"%s\" is a directory", name)
	}
	return f, nil
}

// copyTo makes a file of the server, or empties it, for COPY TO.
func copyTo(name string) (io.WriteCloser, error) {
	if !filepath.IsAbs(name) {
		return nil, pgerr.New(pgerr.InvalidName, "relative path not allowed for COPY to file")
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return nil, copyFileError(name, "writing", err).WithHint("COPY TO instructs the PostgreSQL server process to write a file. You may want a client-side facility such as psql's \\copy.")
	}
	return f, nil
}

// copyFileError maps what the operating system says about opening a file.
func copyFileError(name, purpose string, err error) *pgerr.Error {
	code, why := pgerr.IOError, err.Error()
	var no syscall.Errno
	if errors.As(err, &no) {
		why = no.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code, why = pgerr.UndefinedFile, "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		code, why = pgerr.InsufficientPrivilege, "Permission denied"
	case no == syscall.EISDIR:
		code, why = pgerr.WrongObjectType, "Is a directory"
	}
	return pgerr.New(code, "could not open file \"%s\" for %s: %s", name, purpose, why)
}
