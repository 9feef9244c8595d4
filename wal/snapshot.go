package wal

import (
	"context"
	"path"
)

// Part is the bytes of a log file that belong to a Snapshot.
type Part struct {
	Name  string // in the log's directory
	Bytes int64  // of content; what follows holds nothing
	Size  int64  // of the whole file
}

// Snapshot lists the files that hold the records from LSN from to the last,
// all of which are durable then. The files stay until release is called; those
// bytes of them never change.
func (l *Log) Snapshot(ctx context.Context, from LSN) (parts []Part, last LSN, release func(), err error) {
	w := &waiter{what: wantSync, done: make(chan struct{}, 1)}
	l.mu.Lock()
	held := l.holdLocked(from)
	l.mu.Unlock()
	release = func() { l.release(held) }
	defer func() {
		if err != nil {
			release()
		}
	}()
	if err := l.join(ctx, w); err != nil {
		return nil, 0, nil, err
	}
	// Nobody writes while the caller has the leader's seat.
	if !l.seize() {
		return nil, 0, nil, ErrClosed
	}
	defer l.stepDown()
	if l.Last() > l.Durable() {
		if err := l.syncCurrent(); err != nil {
			return nil, 0, nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.files {
		if i+1 < len(l.files) && l.files[i+1].first <= from {
			continue
		}
		// The newest file is listed even when all its records are below from, and
		// another may follow it soon: it has to stay, too.
		held.from = min(held.from, f.first)
		p := Part{Name: path.Base(f.name), Bytes: f.size, Size: f.size}
		if f == l.cur {
			p.Bytes = l.tail
		}
		parts = append(parts, p)
	}
	return parts, l.Last(), release, nil
}

// Switch ends the current file unless it holds no record, and returns the last
// record of the log. It takes the leader's seat for that.
func (l *Log) Switch(ctx context.Context) (LSN, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if !l.seize() {
		return 0, l.unusable()
	}
	defer l.stepDown()
	if l.tail <= headerBytes || l.cur.first > l.Last() {
		return l.Last(), nil
	}
	if err := l.repair(); err != nil {
		return 0, err
	}
	return l.Last(), l.rotate(0)
}

// unusable says why nothing can be written any more.
func (l *Log) unusable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state()
}
