package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/wal"
)

const defaultDataDir = "./omendb-data"

// passwordVariable of the environment sets the superuser's password: unlike a
// flag it does not show in the list of processes.
const passwordVariable = "OMENDB_PASSWORD"

func initCommand() *cobra.Command {
	var dir, user, password, passwordFile string
	c := &cobra.Command{
		Use:   "init",
		Short: "Make a data directory with a superuser of your choice",
		Long: "Make a data directory with a superuser of your choice.\n\n" +
			"The password comes from --password-file, from --password, or from the variable " + passwordVariable + ".",
		RunE: func(c *cobra.Command, _ []string) error {
			pw, err := chosenPassword(password, passwordFile)
			if err != nil {
				return err
			}
			if pw == "" {
				return usageError{errors.New("a password is needed: --password-file, --password or " + passwordVariable)}
			}
			if dir == omendb.Memory {
				return usageError{errors.New("there is nothing to prepare in memory")}
			}
			db, err := omendb.Open(dir, omendb.WithSuperuser(user), omendb.WithPassword(pw))
			if err != nil {
				return explainOpen(dir, err)
			}
			fresh := db.Fresh()
			if err := db.Close(); err != nil {
				return err
			}
			if !fresh {
				return fmt.Errorf("%s holds a database already; nothing was changed", dir)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Made %s with superuser %s.\nStart the server:  omendb start --data-dir %s\n", dir, user, dir)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&dir, "data-dir", defaultDataDir, "directory to make")
	f.StringVar(&user, "user", omendb.DefaultSuperuser, "name of the superuser")
	f.StringVar(&password, "password", "", "its password (visible to other users of the machine: prefer --password-file)")
	f.StringVar(&passwordFile, "password-file", "", "file whose first line is the password")
	return c
}

// chosenPassword returns the configured password, "" if there is none.
func chosenPassword(flag, file string) (string, error) {
	switch {
	case flag != "" && file != "":
		return "", usageError{errors.New("give --password or --password-file, not both")}
	case flag != "":
		return flag, nil
	case file != "":
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			return "", fmt.Errorf("read password: the first line of %s is empty", file)
		}
		return line, nil
	}
	return os.Getenv(passwordVariable), nil
}

// explainOpen says what somebody can do about a directory that does not open.
func explainOpen(dir string, err error) error {
	switch {
	case errors.Is(err, omendb.ErrInUse):
		return fmt.Errorf("%w\nAnother omendb is running on %s. Stop it, or choose another directory with --data-dir", err, dir)
	case isLogDamage(err):
		return fmt.Errorf("%w\nAcknowledged commits stand behind that place, so the server does not start without them. Restore a backup\n"+
			"(omendb restore, with --archive if the log is archived), or give up everything from there on:\n"+
			"omendb recover --data-dir %s --to-lsn %d --accept-loss", err, dir, lastGood(err))
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w\nThe directory must belong to you and be writable; choose another one with --data-dir", err)
	}
	return err
}

// lastGood returns the last record before the damage.
func lastGood(err error) wal.LSN {
	var damage *wal.CorruptionError
	if !errors.As(err, &damage) || damage.LSN == 0 {
		return 0
	}
	return damage.LSN - 1
}

// isLogDamage reports damage in the log.
func isLogDamage(err error) bool {
	var damage *wal.CorruptionError
	return errors.As(err, &damage)
}
