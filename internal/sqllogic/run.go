package sqllogic

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Failure is one record that did not do what its script says.
type Failure struct {
	Script string
	Line   int
	SQL    string
	Reason string
}

func (f Failure) String() string {
	return fmt.Sprintf("%s:%d: %s\n    %s", f.Script, f.Line, f.Reason, shorten(f.SQL))
}

// shorten keeps a report readable: the corpus has statements of many kilobytes.
func shorten(sql string) string {
	const limit = 400
	sql = strings.Join(strings.Fields(sql), " ")
	if len(sql) > limit {
		sql = sql[:limit] + " ..."
	}
	return sql
}

// Options bound a run.
type Options struct {
	Limit    int                             // queries per script, spread evenly (0: all)
	Timeout  time.Duration                   // per record (0: 30 s)
	Deadline time.Time                       // no record starts after it (zero: none)
	Finished bool                            // the server has nothing left to learn: lines "not yet" do not hold for it
	Excused  func(script string, l int) bool // records that PostgreSQL itself fails: played, but not counted
}

// maxFailures bounds the failures kept per script; all of them are counted.
const maxFailures = 20

// Result is the outcome of one script.
type Result struct {
	Script   string
	Counted  int // records that PostgreSQL passes
	Passed   int
	NotYet   int       // records that wait for OmenDB to learn them
	Failures []Failure // the first of the others
}

// Connect opens a connection to the script's database.
type Connect func(context.Context) (*pgconn.PgConn, error)

// Run plays a script on an empty database. It ends early only at a halt, at the deadline or when no connection can be made.
func Run(ctx context.Context, connect Connect, script *Script, opts Options) Result {
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	p := player{connect: connect, opts: opts, labels: map[string]string{}}
	defer p.close()
	result := Result{Script: script.Name}
	chosen := choose(script, opts.Limit)
	for i := range script.Records {
		rec := &script.Records[i]
		if rec.Skipped {
			p.label(rec, rec.Expected)
			continue
		}
		if rec.Own && opts.Finished {
			continue
		}
		if rec.Kind == Halt || (!opts.Deadline.IsZero() && time.Now().After(opts.Deadline)) {
			break
		}
		if chosen != nil && !chosen[i] {
			continue
		}
		reason := p.play(ctx, rec)
		if opts.Excused != nil && opts.Excused(script.Name, rec.Line) {
			continue
		}
		if rec.NotYet != "" && !opts.Finished {
			result.NotYet++
			if reason != "" {
				continue
			}
			reason = "passes now: take away its line \"not yet\""
		}
		result.Counted++
		if reason == "" {
			result.Passed++
		} else if len(result.Failures) < maxFailures {
			result.Failures = append(result.Failures, Failure{script.Name, rec.Line, rec.SQL, reason})
		}
	}
	return result
}

// choose picks the records to play: every statement, and so many queries at even distances; nil stands for all.
func choose(script *Script, limit int) []bool {
	queries := 0
	for i := range script.Records {
		if r := &script.Records[i]; r.Kind == Query && !r.Skipped {
			queries++
		}
	}
	if limit <= 0 || queries <= limit {
		return nil
	}
	chosen := make([]bool, len(script.Records))
	n := 0
	for i := range script.Records {
		r := &script.Records[i]
		if r.Kind != Query {
			chosen[i] = true
			continue
		}
		if !r.Skipped {
			chosen[i] = n*limit/queries != (n+1)*limit/queries
			n++
		}
	}
	return chosen
}

// player holds the one connection of a script and the results seen per label.
type player struct {
	connect Connect
	opts    Options
	conn    *pgconn.PgConn
	labels  map[string]string
}

func (p *player) close() {
	if p.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.conn.Close(ctx)
	}
}

// play runs one record and says what is wrong with its outcome, or "".
func (p *player) play(ctx context.Context, rec *Record) string {
	ctx, cancel := context.WithTimeout(ctx, p.opts.Timeout)
	defer cancel()
	got, err := p.exec(ctx, rec.SQL, rec.Types)
	if ctx.Err() != nil {
		return fmt.Sprintf("no answer in %v", p.opts.Timeout)
	}
	if rec.Kind == Statement {
		return judge(rec, err)
	}
	if err != nil {
		return err.Error()
	}
	got = arrange(got, len(rec.Types), rec.Sort)
	if reason := compare(rec.Expected, got); reason != "" {
		return reason
	}
	return p.label(rec, got)
}

// judge compares the outcome of a statement with what its record says.
func judge(rec *Record, err error) string {
	if !rec.WantError {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	if err == nil {
		return "want an error, got none"
	}
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return "want an error of the server, got: " + err.Error()
	}
	if rec.Code != "" && pgErr.Code != rec.Code {
		return fmt.Sprintf("want SQLSTATE %s, got %s: %s", rec.Code, pgErr.Code, pgErr.Message)
	}
	return ""
}

// label keeps the first result of a label and says when another one differs.
func (p *player) label(rec *Record, values []string) string {
	if rec.Label == "" {
		return ""
	}
	sum := digest(values)
	if hashed(values) {
		sum = values[0]
	}
	first, ok := p.labels[rec.Label]
	if !ok {
		p.labels[rec.Label] = sum
		return ""
	}
	if first != sum {
		return fmt.Sprintf("label %s: %s, but %s before", rec.Label, sum, first)
	}
	return ""
}

// exec sends one text by the simple protocol and renders the rows of its last result. A broken connection is replaced
// at the next call, so that a crash of one session fails one record.
func (p *player) exec(ctx context.Context, sql, types string) ([]string, error) {
	if p.conn == nil || p.conn.IsClosed() {
		conn, err := p.connect(ctx)
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		p.conn = conn
	}
	var values []string
	var wrong error
	results := p.conn.Exec(ctx, sql)
	for results.NextResult() {
		reader := results.ResultReader()
		fields := reader.FieldDescriptions()
		if types != "" && len(fields) != len(types) {
			wrong = fmt.Errorf("want %d columns, got %d", len(types), len(fields))
		}
		values = values[:0]
		for reader.NextRow() {
			for i, v := range reader.Values() {
				if i < len(types) {
					values = append(values, render(types[i], fields[i].DataTypeOID, v))
				}
			}
		}
		if _, err := reader.Close(); err != nil {
			return nil, errors.Join(err, ignoreSame(results.Close(), err))
		}
	}
	if err := results.Close(); err != nil {
		return nil, err
	}
	return values, wrong
}

// ignoreSame drops an error that repeats another one.
func ignoreSame(err, other error) error {
	if err == nil || err.Error() == other.Error() {
		return nil
	}
	return err
}
