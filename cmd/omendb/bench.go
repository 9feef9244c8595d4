package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
)

// benchProgram is a program of its own, so that the databases which it
// compares OmenDB with are no part of the server.
const benchProgram = "omendb-bench"

func benchCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "bench index|store|sql|tpch|wire|commit [flags]",
		Short:              "Compare the learned index, the engine and SQL with others (needs " + benchProgram + ")",
		DisableFlagParsing: true, // the flags are the program's
		RunE: func(c *cobra.Command, args []string) error {
			name, err := findBench()
			if err != nil {
				return err
			}
			run := exec.CommandContext(c.Context(), name, args...)
			run.Stdin, run.Stdout, run.Stderr = os.Stdin, c.OutOrStdout(), c.ErrOrStderr()
			if err := run.Run(); err != nil {
				return fmt.Errorf("%s: %w", benchProgram, err)
			}
			return nil
		},
	}
}

// findBench looks for the program beside this one, then in the search path.
func findBench() (string, error) {
	if self, err := os.Executable(); err == nil {
		name := filepath.Join(filepath.Dir(self), benchProgram)
		if _, err := os.Stat(name); err == nil {
			return name, nil
		}
	}
	name, err := exec.LookPath(benchProgram)
	if err != nil {
		return "", errors.New(benchProgram + " is not installed: build it with 'go build -C cmd/omendb-bench -o ../../" + benchProgram + "' and put it beside omendb")
	}
	return name, nil
}
