// Command omendb starts an OmenDB server, prepares data directories and tells
// its version. It wires the world (files, clock, listeners, signals, log) to
// package omendb and does nothing else.
//
// Exit codes: 0 success, 1 failure, 2 wrong usage, 3 the log could no longer be
// written and the server stopped at once.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/omendb/omendb"
)

// The exit codes.
const (
	exitFailure = 1
	exitUsage   = 2
	exitFatal   = 3
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// usageError is a mistake in flags or arguments.
type usageError struct{ error }

// run executes a command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "omendb",
		Short:         "A PostgreSQL-compatible database on learned indexes",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(startCommand(), initCommand(), benchCommand(), versionCommand(),
		backupCommand(), restoreCommand(), verifyCommand(), recoverCommand(), tortureCommand())
	for _, c := range root.Commands() {
		if !c.DisableFlagParsing {
			c.Args = noArguments
		}
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	cmd, err := root.ExecuteC()
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "omendb: %v\n", err)
	var usage usageError
	if errors.As(err, &usage) || cmd == root {
		fmt.Fprintf(stderr, "Try '%s --help'.\n", cmd.CommandPath())
		return exitUsage
	}
	return exitFailure
}

func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "omendb %s (compatible with PostgreSQL %s)\n", omendb.Version, omendb.CompatibleVersion)
			return err
		},
	}
}
