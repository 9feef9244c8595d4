package history_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/omendb/omendb/internal/history"
	"github.com/omendb/omendb/internal/vfs"
)

// doomed is a server in this process whose power fails now and then.
type doomed struct {
	t      *testing.T
	mu     sync.Mutex
	server *server
	fs     *vfs.Mem
	dead   *atomic.Bool // set when the server's clients must not hear of it any more
}

var errLost = errors.New("the connection is lost")

// crash replaces the server by one that starts from what the disk of the old
// one holds at this moment. Its clients hear nothing any more from before that
// moment on, so that what they were told is on the disk.
func (d *doomed) crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead != nil {
		d.dead.Store(true)
	}
	d.dead = &atomic.Bool{}
	d.fs = d.fs.CrashClone(nil)
	d.server = open(d.t, d.fs, spilling)
}

func (d *doomed) connect(ctx context.Context) (history.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead == nil {
		d.dead = &atomic.Bool{}
	}
	c, err := d.server.connect(ctx)
	return mortal{c, d.dead}, err
}

func (d *doomed) lost(err error) error {
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// mortal is a connection that ends with its server.
type mortal struct {
	history.Conn
	dead *atomic.Bool
}

// Query implements history.Conn.
func (m mortal) Query(ctx context.Context, statement string) ([][]string, error) {
	if m.dead.Load() {
		return nil, errLost
	}
	rows, err := m.Conn.Query(ctx, statement)
	if m.dead.Load() {
		return nil, errLost
	}
	return rows, err
}
