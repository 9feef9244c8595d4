package isolation

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Runner runs scenarios.
type Runner struct {
	Target Target
	Poll   time.Duration // between looks whether a step waits; 0 is one millisecond
	Limit  time.Duration // for one permutation; 0 is one minute
}

// connection is a session's connection and the step that it is working on.
type connection struct {
	conn    *pgconn.PgConn
	session *Session
	active  *launched
	notes   chan string
	noticed atomic.Int64
}

// launched is a step that was sent.
type launched struct {
	move  Move
	on    *connection
	reply reply
	done  chan struct{}
	wants map[notices]int64 // totals of notices to wait for
	over  bool              // reported complete
}

type run struct {
	Runner
	spec    *Spec
	control *pgconn.PgConn
	conns   []*connection
	pids    string // of all sessions, as an array literal
	out     strings.Builder
}

// Run runs all permutations of a scenario and returns what happened.
func (r Runner) Run(ctx context.Context, name string, spec *Spec) (string, error) {
	if r.Poll == 0 {
		r.Poll = time.Millisecond
	}
	if r.Limit == 0 {
		r.Limit = time.Minute
	}
	connect, drop, err := r.Target.Create(ctx, name)
	if err != nil {
		return "", err
	}
	defer drop()
	x := &run{Runner: r, spec: spec}
	defer x.close()
	if err := x.connect(ctx, connect); err != nil {
		return "", err
	}
	fmt.Fprintf(&x.out, "Parsed test spec with %d sessions\n", len(spec.Sessions))
	for _, p := range spec.Permutations {
		limited, cancel := context.WithTimeout(ctx, r.Limit)
		err := x.permutation(limited, p)
		cancel()
		if err != nil {
			return x.out.String(), err
		}
	}
	return x.out.String(), nil
}

func (x *run) connect(ctx context.Context, connect Connect) (err error) {
	if x.control, err = connect(ctx, func(string, string) {}); err != nil {
		return err
	}
	var pids []string
	for _, s := range x.spec.Sessions {
		c := &connection{session: s, notes: make(chan string, 1000)}
		c.conn, err = connect(ctx, func(severity, message string) {
			c.noticed.Add(1)
			c.notes <- fmt.Sprintf("%s: %s:  %s\n", s.Name, severity, message)
		})
		if err != nil {
			return err
		}
		x.conns = append(x.conns, c)
		pids = append(pids, strconv.Itoa(int(c.conn.PID())))
		if err := x.exec(ctx, c.conn, "SET application_name = 'isolation/"+s.Name+"'"); err != nil {
			return err
		}
	}
	x.pids = "{" + strings.Join(pids, ",") + "}"
	return nil
}

func (x *run) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, c := range x.conns {
		_ = c.conn.Close(ctx)
	}
	if x.control != nil {
		_ = x.control.Close(ctx)
	}
}

func (x *run) exec(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	if sql == "" {
		return nil
	}
	if err := conn.Exec(ctx, sql).Close(); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// permutation runs one order of steps, between setups and teardowns.
func (x *run) permutation(ctx context.Context, moves []Move) error {
	x.out.WriteString("\nstarting permutation:")
	for _, m := range moves {
		x.out.WriteString(" " + m.Step.Name)
	}
	x.out.WriteByte('\n')
	for _, sql := range x.spec.Setup {
		if err := x.exec(ctx, x.control, sql); err != nil {
			return err
		}
	}
	for _, c := range x.conns {
		if err := x.exec(ctx, c.conn, c.session.Setup); err != nil {
			return err
		}
		c.flush(&x.out)
	}
	var waiting []*launched
	for _, m := range moves {
		var err error
		if waiting, err = x.move(ctx, m, waiting); err != nil {
			return err
		}
	}
	for len(waiting) > 0 {
		var err error
		if waiting, err = x.collect(ctx, waiting, true); err != nil {
			return err
		}
	}
	for _, c := range x.conns {
		if err := x.exec(ctx, c.conn, c.session.Teardown); err != nil {
			return err
		}
	}
	return x.exec(ctx, x.control, x.spec.Teardown)
}

// move sends a step and sees how far it and those that wait get.
func (x *run) move(ctx context.Context, m Move, waiting []*launched) ([]*launched, error) {
	c := x.conns[m.Step.session]
	for c.active != nil { // the session is still busy with an earlier step
		var err error
		if waiting, err = x.collect(ctx, waiting, true); err != nil {
			return nil, err
		}
	}
	l := &launched{move: m, on: c, done: make(chan struct{}), wants: map[notices]int64{}}
	for _, n := range m.Notices {
		l.wants[n] = x.conns[n.step.session].noticed.Load() + int64(n.count)
	}
	c.active = l
	go func() {
		defer close(l.done)
		if err := l.reply.read(c.conn.Exec(ctx, m.Step.SQL)); err != nil {
			l.reply.failed(err)
		}
	}()
	complete, err := x.complete(ctx, l, false)
	if err != nil {
		return nil, err
	}
	if waiting, err = x.collect(ctx, waiting, false); err != nil {
		return nil, err
	}
	if !complete {
		waiting = append(waiting, l)
	}
	return waiting, nil
}

// collect reports those of the waiting steps that are complete by now; with
// must at least one of them has to get there.
func (x *run) collect(ctx context.Context, waiting []*launched, must bool) ([]*launched, error) {
	for {
		var rest []*launched
		for _, l := range waiting {
			ok, err := x.complete(ctx, l, true)
			if err != nil {
				return nil, err
			}
			if !ok {
				rest = append(rest, l)
			}
		}
		if len(rest) < len(waiting) && len(rest) > 0 {
			waiting, must = rest, false // one may have set another free
			continue
		}
		if !must || len(rest) < len(waiting) {
			return rest, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("step %s waits for ever", waiting[0].move.Step.Name)
		}
		time.Sleep(x.Poll)
	}
}

// complete waits until a step has returned or waits for another session, and
// reports what it sees. again tells that the step was reported as waiting.
func (x *run) complete(ctx context.Context, l *launched, again bool) (bool, error) {
	atOnce := l.move.AtOnce && !again
	for !atOnce {
		select {
		case <-l.done:
		case <-time.After(x.Poll):
			blocked, err := x.blocked(ctx, l)
			if err != nil {
				return false, err
			}
			if !blocked {
				continue
			}
			if !again {
				x.waits(l)
			}
			return false, nil
		}
		break
	}
	if atOnce || x.held(l) {
		if !again {
			x.waits(l)
		}
		return false, nil
	}
	<-l.done
	if again {
		fmt.Fprintf(&x.out, "step %s: <... completed>\n", l.move.Step.Name)
	} else {
		fmt.Fprintf(&x.out, "step %s: %s\n", l.move.Step.Name, l.move.Step.SQL)
	}
	l.on.flush(&x.out)
	x.out.WriteString(l.reply.text.String())
	l.on.active, l.over = nil, true
	return true, nil
}

func (x *run) waits(l *launched) {
	fmt.Fprintf(&x.out, "step %s: %s <waiting ...>\n", l.move.Step.Name, l.move.Step.SQL)
}

// held reports whether a marker keeps a step from being reported complete.
func (x *run) held(l *launched) bool {
	for _, s := range l.move.After {
		if a := x.conns[s.session].active; a != nil && a.move.Step == s {
			return true
		}
	}
	for n, count := range l.wants {
		if x.conns[n.step.session].noticed.Load() < count {
			return true
		}
	}
	return false
}

// blocked asks the server whether a step waits for one of the sessions.
func (x *run) blocked(ctx context.Context, l *launched) (bool, error) {
	sql := fmt.Sprintf("SELECT pg_catalog.pg_isolation_test_session_is_blocked(%d, '%s')", l.on.conn.PID(), x.pids)
	results, err := x.control.Exec(ctx, sql).ReadAll()
	if err != nil {
		return false, fmt.Errorf("is step %s waiting: %w", l.move.Step.Name, err)
	}
	return len(results) == 1 && len(results[0].Rows) == 1 && string(results[0].Rows[0][0]) == "t", nil
}

// flush writes the notices that have come.
func (c *connection) flush(out *strings.Builder) {
	for {
		select {
		case n := <-c.notes:
			out.WriteString(n)
		default:
			return
		}
	}
}
