package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/omendb/omendb/internal/torture"
)

// progressEvery is how often progress is told where no terminal shows it.
const progressEvery = 15 * time.Second

// maxTortureConnections leaves the server's own limit alone.
const maxTortureConnections = 90

func tortureCommand() *cobra.Command {
	var o torture.Options
	var minutes float64
	var asJSON bool
	c := &cobra.Command{
		Use:   "torture",
		Short: "Kill servers at random moments and look for what they acknowledged",
		Long: "Start a server of its own on a scratch directory, load it over several connections, kill it by SIGKILL at random\n" +
			"moments, and start it again, for some minutes. After every start all tables are compared, by scan and by index, with a\n" +
			"ledger of what was acknowledged; backups made under load are restored and compared, too. The exit code is 0 if nothing\n" +
			"was lost, half there or made up. SIGKILL does not test what a power failure does to the disk.",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if minutes <= 0 || o.Connections < 1 || o.Connections > maxTortureConnections || o.Kills < 0 {
				return usageError{fmt.Errorf("--minutes must be positive, --connections between 1 and %d", maxTortureConnections)}
			}
			o.For = time.Duration(minutes * float64(time.Minute))
			if o.Binary, err = os.Executable(); err != nil {
				return err
			}
			scratch := o.Dir
			if o.Dir, err = os.MkdirTemp(scratch, "omendb-torture-"); err != nil {
				return err
			}
			return runTorture(c, o, asJSON)
		},
	}
	f := c.Flags()
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the work and of the moments of the kills")
	f.Float64Var(&minutes, "minutes", 2, "how long")
	f.IntVar(&o.Kills, "kills", 0, "end after so many kills, if that is sooner; 0 for no bound")
	f.IntVar(&o.Connections, "connections", 8, "connections that work at the same time")
	f.StringVar(&o.Dir, "scratch", "", "where to make the scratch directory, on the disk to be tested; the system's temporary directory without it")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	return c
}

func runTorture(c *cobra.Command, o torture.Options, asJSON bool) error {
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt)
	defer stop()
	terminal := isTerminal(c.ErrOrStderr())
	last := time.Now()
	o.Progress = func(r *torture.Report) {
		switch {
		case terminal:
			fmt.Fprintf(c.ErrOrStderr(), "\r%s ", r.Line())
		case time.Since(last) >= progressEvery:
			last = time.Now()
			fmt.Fprintln(c.ErrOrStderr(), r.Line())
		}
	}
	r, err := torture.Run(ctx, o)
	if terminal {
		fmt.Fprintln(c.ErrOrStderr())
	}
	if err != nil {
		return fmt.Errorf("torture in %s: %w", o.Dir, err)
	}
	if asJSON {
		err = json.NewEncoder(c.OutOrStdout()).Encode(r)
	} else {
		err = r.Table(c.OutOrStdout())
	}
	if !r.OK() {
		return errors.Join(err, fmt.Errorf("a promise was broken; the directory is kept: %s", filepath.Join(o.Dir, "data")))
	}
	return errors.Join(err, os.RemoveAll(o.Dir))
}
