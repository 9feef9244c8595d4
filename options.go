package omendb

import (
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/clock"
	"github.com/omendb/omendb/internal/event"
	"github.com/omendb/omendb/internal/vfs"
	"github.com/omendb/omendb/pgwire"
	"github.com/omendb/omendb/security"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/settings"
)

// Option says how Open opens a database.
type Option func(*options)

type options struct {
	superuser, password       string
	makePassword              func() (string, error)
	log                       zerolog.Logger
	clock                     clock.Clock
	random                    io.Reader
	certificates              *security.Certificates
	requireTLS                bool
	authorities               *security.Authorities
	clientCert                security.ClientCert
	peerLogin                 bool
	maxConnections            int
	cacheBytes, memtableBytes int64
	partitionBytes            int64
	scrubRate                 int64
	archive                   string
	archiveEvery              time.Duration
	settings                  map[string]string
	events                    event.Sink
	onError                   func(code string)
	fatal                     func(error)
	fs                        vfs.FS
}

func defaults() options {
	return options{superuser: DefaultSuperuser, log: zerolog.Nop(), clock: clock.System(), random: rand.Reader, fs: vfs.OS(), fatal: func(err error) {
		// Nothing may be acknowledged any more; a program that can end in a better
		// way says so by WithFatal.
		panic(err)
	}}
}

// WithSuperuser names the first role of a fresh database; DefaultSuperuser without it.
func WithSuperuser(name string) Option { return func(o *options) { o.superuser = name } }

// WithPassword sets the first role's password in a fresh database. Without one
// it can log in by Connect and, with WithPeerLogin, by a Unix socket only.
func WithPassword(password string) Option { return func(o *options) { o.password = password } }

// WithPasswordFunc is WithPassword with a function that is called when the
// database is being made, and only then; nobody else has the directory open.
func WithPasswordFunc(fn func() (string, error)) Option {
	return func(o *options) { o.makePassword = fn }
}

// WithLogger sets where the log goes; without it, nowhere.
func WithLogger(l zerolog.Logger) Option { return func(o *options) { o.log = l } }

// WithTLS lets clients encrypt their connections with a certificate.
func WithTLS(c *security.Certificates) Option { return func(o *options) { o.certificates = c } }

// WithRequireTLS refuses logins over the network that are not encrypted.
func WithRequireTLS() Option { return func(o *options) { o.requireTLS = true } }

// WithClientCertificates asks clients over TLS for certificates by these issuers.
// Connections over TCP have to meet the demand; those without TLS cannot.
func WithClientCertificates(a *security.Authorities, demand security.ClientCert) Option {
	return func(o *options) { o.authorities, o.clientCert = a, demand }
}

// WithPeerLogin admits the user of the operating system who runs this process
// without a password, on listeners of Unix sockets. Asking for a role named like
// that user, when there is none, gives the superuser.
func WithPeerLogin() Option { return func(o *options) { o.peerLogin = true } }

// WithMaxConnections bounds the number of sessions.
func WithMaxConnections(n int) Option { return func(o *options) { o.maxConnections = n } }

// WithCacheBytes sets the size of the cache of blocks of data files.
func WithCacheBytes(n int64) Option { return func(o *options) { o.cacheBytes = n } }

// WithMemtableBytes sets how much is gathered in memory before it is written to a data file.
func WithMemtableBytes(n int64) Option { return func(o *options) { o.memtableBytes = n } }

// WithPartitionBytes sets the size of the data files that merges and bulk loads make.
func WithPartitionBytes(n int64) Option { return func(o *options) { o.partitionBytes = n } }

// WithScrub reads all data files again and again, at so many bytes per second,
// to find damage before somebody needs the rows. 0, as without it, is never.
func WithScrub(bytesPerSecond int64) Option { return func(o *options) { o.scrubRate = bytesPerSecond } }

// WithArchive copies the log into a directory as it grows, at the latest after
// every interval, and keeps what is not copied yet: for restoring a backup to any
// point in time. The directory must be empty or this database's own archive.
func WithArchive(dir string, every time.Duration) Option {
	return func(o *options) { o.archive, o.archiveEvery = dir, every }
}

// WithSettings gives configuration parameters other defaults. Of those that
// PostgreSQL's server reads when it starts, max_wal_size, min_wal_size and
// checkpoint_timeout count: how much log there is to replay after a crash. Given
// again, it adds to what was given before.
func WithSettings(s map[string]string) Option {
	return func(o *options) {
		all := map[string]string{}
		maps.Copy(all, o.settings)
		maps.Copy(all, s)
		o.settings = all
	}
}

// logging is what the settings say about the log.
type logging struct {
	maxBytes, minBytes int64
	timeout            time.Duration
}

func (o *options) logging() (l logging, err error) {
	v := settings.NewValues()
	for _, name := range []string{"max_wal_size", "min_wal_size", "checkpoint_timeout"} {
		for given, value := range o.settings {
			if strings.EqualFold(given, name) {
				err = errors.Join(err, v.SetDefault(name, value))
			}
		}
	}
	return logging{v.Int("max_wal_size") << 20, v.Int("min_wal_size") << 20, time.Duration(v.Int("checkpoint_timeout")) * time.Second}, err
}

// WithEvents passes what happens inside, and the SQLSTATE of every error that a
// client gets, to somebody who counts it. Both must be quick.
func WithEvents(sink event.Sink, onError func(code string)) Option {
	return func(o *options) { o.events, o.onError = sink, onError }
}

// WithFileSystem puts another file system in the operating system's place; Memory
// has its own. It is for tests of this module, which have one that fails.
func WithFileSystem(fs vfs.FS) Option { return func(o *options) { o.fs = fs } }

// WithFatal is called when the log can no longer be written: the process must end.
func WithFatal(fn func(error)) Option { return func(o *options) { o.fatal = fn } }

// owner says who may log in by a Unix socket without a password.
func (o *options) owner(first *catalog.Role) pgwire.Owner {
	if !o.peerLogin {
		return pgwire.Owner{UID: -1}
	}
	w := pgwire.Owner{UID: os.Getuid(), Role: o.superuser}
	if first != nil {
		w.Role = first.Name
	}
	if u, err := user.Current(); err == nil {
		w.Name = u.Username
	}
	return w
}
