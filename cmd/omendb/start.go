package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/omendb/omendb"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/monitor"
	"github.com/omendb/omendb/security"
)

// maxBloatMetrics bounds the tables and indexes that have metrics of their own.
const maxBloatMetrics = 50

// startFlags are the flags of omendb start.
type startFlags struct {
	dataDir, listen, superuser string
	socketDir                  string
	tlsCert, tlsKey            string
	requireTLS                 bool
	tlsClientCA, tlsClientCert string
	maxConnections             int
	logFormat, logLevel        string
	metricsListen              string
	gracePeriod                time.Duration
	cacheMB, partitionMB       int64
	maxWAL, minWAL, checkpoint string
	scrubMB                    float64
	archiveDir                 string
	archiveEvery               time.Duration
	stdout, stderr             io.Writer
	more                       []omendb.Option // of tests
}

func startCommand() *cobra.Command { return startCommandWith(&startFlags{}) }

// startCommandWith fills s from the command line.
func startCommandWith(s *startFlags) *cobra.Command {
	c := &cobra.Command{
		Use:   "start",
		Short: "Start the server",
		Long: "Start the server. A data directory that is not there is made, with a superuser whose generated password\n" +
			"is written to a file in it, unless the variable " + passwordVariable + " sets one.",
		RunE: func(c *cobra.Command, _ []string) error {
			s.stdout, s.stderr = c.OutOrStdout(), c.ErrOrStderr()
			return s.run(c.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&s.dataDir, "data-dir", defaultDataDir, "data directory; "+omendb.Memory+" keeps everything in memory")
	f.StringVar(&s.listen, "listen", "127.0.0.1:5432", "address to listen on")
	f.StringVar(&s.socketDir, "socket-dir", defaultSocketDir(), "directory of the Unix socket, on which you log in without a password; empty for none")
	f.StringVar(&s.superuser, "superuser", omendb.DefaultSuperuser, "superuser of a fresh data directory")
	f.StringVar(&s.tlsCert, "tls-cert", "", "file with the TLS certificate (PEM)")
	f.StringVar(&s.tlsKey, "tls-key", "", "file with its key (PEM)")
	f.BoolVar(&s.requireTLS, "require-tls", false, "refuse connections over the network without TLS")
	f.StringVar(&s.tlsClientCA, "tls-client-ca", "", "file with the issuers of clients' certificates (PEM); empty asks for none")
	f.StringVar(&s.tlsClientCert, "tls-client-cert", string(security.ClientCertLogin),
		"with --tls-client-ca: cert (the certificate names the role and replaces the password), verify-full (both), verify-ca (any certificate and the password) or optional")
	f.IntVar(&s.maxConnections, "max-connections", 100, "most connections at a time")
	f.Int64Var(&s.cacheMB, "cache-mb", 0, "size of the block cache in MB; 0 chooses")
	f.Int64Var(&s.partitionMB, "partition-mb", 64, "size in MB of the data files that merges and bulk loads make; 16 to 1024")
	f.StringVar(&s.maxWAL, "max-wal-size", "1GB", "checkpoints keep the log to replay after a crash below this (max_wal_size)")
	f.StringVar(&s.minWAL, "min-wal-size", "80MB", "log files of this size are kept for reuse (min_wal_size)")
	f.StringVar(&s.checkpoint, "checkpoint-timeout", "5min", "time after which a checkpoint is made if there was none (checkpoint_timeout)")
	f.StringVar(&s.archiveDir, "archive-dir", "", "directory that the log is copied to as it grows, for restoring to a point in time; empty for none")
	f.DurationVar(&s.archiveEvery, "archive-interval", 5*time.Second, "how much later than its commit a transaction is in the archive, at most")
	f.Float64Var(&s.scrubMB, "scrub-mb", 4, "MB per second at which data files are read in the background to find damage; 0 for never")
	f.StringVar(&s.logFormat, "log-format", "console", "form of the log on standard error: console or json")
	f.StringVar(&s.logLevel, "log-level", "info", "least level to log: debug, info, warn or error")
	f.StringVar(&s.metricsListen, "metrics-listen", "", "address to serve /metrics for Prometheus on; empty for none")
	f.DurationVar(&s.gracePeriod, "grace-period", 10*time.Second, "how long running statements may go on after SIGTERM or SIGINT")
	return c
}

func (s *startFlags) run(ctx context.Context) error {
	if ctx == nil {
		ctx = context.Background()
	}
	log, err := s.logger()
	if err != nil {
		return err
	}
	if s.maxConnections < 1 {
		return usageError{errors.New("--max-connections must be at least 1")}
	}
	reserve := reserveHeap()
	defer runtime.KeepAlive(reserve)
	metrics := monitor.New()
	opts, err := s.options(log, metrics)
	if err != nil {
		return err
	}
	secret := s.newSecret()
	// Listening comes first: a port that is taken leaves no trace.
	l, err := s.listenTCP()
	if err != nil {
		return err
	}
	defer l.Close()
	opened := time.Now()
	db, err := omendb.Open(s.dataDir, append(opts, omendb.WithPasswordFunc(secret.make))...)
	if err != nil {
		return explainOpen(s.dataDir, err)
	}
	defer db.Close()
	metrics.Observe(func() monitor.Totals { return monitor.Totals(db.Counters()) })
	metrics.ObserveBloat(func() (list []monitor.Bloat) {
		for _, b := range db.Bloat(maxBloatMetrics) {
			list = append(list, monitor.Bloat(b))
		}
		return list
	})
	socket, err := s.listenSocket(port(l.Addr()))
	if err != nil {
		return err
	}
	if socket != nil {
		db.Serve(socket)
	}
	if err := s.serveMetrics(metrics, log); err != nil {
		return err
	}
	db.Serve(l)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	s.announce(db, l.Addr(), socket, secret)
	log.Info().Str("event", "start").Str("version", omendb.Version).Dur("took", time.Since(opened)).Msg("ready for connections")
	return s.wait(ctx, db, signals, log)
}

// wait returns when the server has been told to end and has ended.
func (s *startFlags) wait(ctx context.Context, db *omendb.DB, signals <-chan os.Signal, log zerolog.Logger) error {
	select {
	case sig := <-signals:
		log.Info().Str("event", "stop").Str("signal", sig.String()).Dur("grace", s.gracePeriod).Msg("shutting down; a second signal hurries")
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), s.gracePeriod)
	defer cancel()
	go func() {
		select {
		case <-signals:
			cancel()
		case <-grace.Done():
		}
	}()
	if err := db.Shutdown(grace); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	log.Info().Str("event", "stop").Msg("everything is on disk")
	return nil
}

func (s *startFlags) logger() (zerolog.Logger, error) {
	level, err := zerolog.ParseLevel(s.logLevel)
	if err != nil || s.logLevel == "" {
		return zerolog.Nop(), usageError{fmt.Errorf("--log-level %q: use debug, info, warn or error", s.logLevel)}
	}
	var w io.Writer
	switch s.logFormat {
	case "json":
		w = s.stderr
	case "console":
		w = zerolog.ConsoleWriter{Out: s.stderr, TimeFormat: time.DateTime, NoColor: !isTerminal(s.stderr)}
	default:
		return zerolog.Nop(), usageError{fmt.Errorf("--log-format %q: use console or json", s.logFormat)}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger(), nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// options turns the flags into those of the library.
func (s *startFlags) options(log zerolog.Logger, metrics *monitor.Metrics) ([]omendb.Option, error) {
	opts := append(s.more,
		omendb.WithSuperuser(s.superuser), omendb.WithLogger(log), omendb.WithMaxConnections(s.maxConnections), omendb.WithPeerLogin(),
		omendb.WithEvents(event.Multi(metrics.Event, logEvents(log)), metrics.Error),
		omendb.WithFatal(func(err error) {
			log.Error().Str("event", string(event.WALFatal)).Err(err).Msg("the log cannot be written; stopping at once so that nothing false is promised")
			os.Exit(exitFatal)
		}))
	opts = append(opts, omendb.WithSettings(map[string]string{"max_wal_size": s.maxWAL, "min_wal_size": s.minWAL, "checkpoint_timeout": s.checkpoint}))
	if s.scrubMB < 0 {
		return nil, usageError{errors.New("--scrub-mb must not be negative")}
	}
	if s.archiveDir != "" {
		if s.archiveEvery <= 0 || s.dataDir == omendb.Memory {
			return nil, usageError{errors.New("--archive-dir needs a data directory and an --archive-interval above 0")}
		}
		opts = append(opts, omendb.WithArchive(s.archiveDir, s.archiveEvery), omendb.WithSettings(map[string]string{"archive_mode": "on"}))
	}
	opts = append(opts, omendb.WithScrub(int64(s.scrubMB*(1<<20))))
	if s.cacheMB > 0 {
		opts = append(opts, omendb.WithCacheBytes(s.cacheMB<<20))
	}
	if s.partitionMB < 16 || s.partitionMB > 1024 { // smaller ones are too many files, larger ones too long merges
		return nil, usageError{errors.New("--partition-mb must be from 16 to 1024")}
	}
	opts = append(opts, omendb.WithPartitionBytes(s.partitionMB<<20))
	more, err := s.tlsOptions(log)
	return append(opts, more...), err
}

func port(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok {
		return strconv.Itoa(t.Port)
	}
	return "5432"
}
