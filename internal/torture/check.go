package torture

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// checkTimeout bounds one look at everything; it takes a second or two.
const checkTimeout = 2 * time.Minute

// class says what is wrong.
type class string

// The classes, in the order of the report.
const (
	lost       class = "lost"           // acknowledged, and not there
	torn       class = "half there"     // a transaction of which a part is missing
	phantom    class = "phantom"        // there, and never committed
	mismatch   class = "index mismatch" // an index that tells another story than its table
	regress    class = "sequence went back"
	failed     class = "wrong error"  // an answer that a correct server does not give
	crashLoop  class = "failed start" // the server did not come up again
	badBackup  class = "backup"       // a backup that could not be restored, or differs from every commit point
	notCovered class = "not checked"  // a check that did not look where it should
)

var classes = []class{lost, torn, phantom, mismatch, regress, failed, crashLoop, badBackup, notCovered}

// violation is one finding.
type violation struct {
	class  class
	detail string
}

func (v *violation) Error() string { return string(v.class) + ": " + v.detail }

func violated(c class, format string, args ...any) error {
	return &violation{c, fmt.Sprintf(format, args...)}
}

// path is one way to the rows of a table.
type path struct {
	index string // that the plan must use; "" is a scan of the table
	where string
}

// planned is what EXPLAIN must say: a table is stored in the order of its primary key, so that index is a range of the table.
func (p path) planned() string {
	switch {
	case p.index == "":
		return "Seq Scan"
	case strings.HasSuffix(p.index, "_pkey"):
		return "Range Scan"
	}
	return p.index
}

// tables lists what is compared: each row as one text, by every way to it.
var tables = []struct {
	name, row string
	expected  func(w *worker, m *Model, put func(string))
	paths     []path
}{
	{"item", "worker || ' ' || slot || ' ' || code || ' ' || payload", func(w *worker, m *Model, put func(string)) {
		for slot, n := range m.items {
			put(fmt.Sprintf("%d %d %d %s", w.id, slot, code(w.id, n), payload(w.id, n, slot)))
		}
	}, []path{{}, {"item_pkey", "worker >= 0"}, {"item_code_key", "code > -9000000000000000000"}, {"item_payload", "payload >= ''"}}},
	{"event", "worker || ' ' || n", func(w *worker, m *Model, put func(string)) {
		for n := m.events + 1; n <= m.n; n++ {
			put(fmt.Sprintf("%d %d", w.id, n))
		}
	}, []path{{}, {"event_pkey", "id > 0"}, {"event_worker_n_key", "worker >= 0"}, {"event_kind", "kind > ''"}}},
	{"parent", "worker || ' ' || id", func(w *worker, m *Model, put func(string)) {
		for id := range m.families {
			put(fmt.Sprintf("%d %d", w.id, id))
		}
	}, []path{{}, {"parent_pkey", "worker >= 0"}}},
	{"child", "worker || ' ' || parent || ' ' || no", func(w *worker, m *Model, put func(string)) {
		for id, children := range m.families {
			for no := range children {
				put(fmt.Sprintf("%d %d %d", w.id, id, no+1))
			}
		}
	}, []path{{}, {"child_pkey", "worker >= 0"}}},
	{"loaded", "worker || ' ' || load || ' ' || no || ' ' || payload", func(w *worker, m *Model, put func(string)) {
		for n, rows := range m.loads {
			for no := range rows {
				put(fmt.Sprintf("%d %d %d %s", w.id, n, no, payload(w.id, n, no)))
			}
		}
	}, []path{{}, {"loaded_pkey", "worker >= 0"}}},
	{"page", "worker || ' ' || no || ' ' || n || ' ' || payload", func(w *worker, m *Model, put func(string)) {
		for no := range m.page[0] {
			put(fmt.Sprintf("%d %d %d %s", w.id, no, m.page[1], payload(w.id, m.page[1], no)))
		}
	}, []path{{}, {"page_worker", "worker >= 0"}}},
}

// check compares a server with the ledger. lower is what must be there, at least. It returns the models of what it
// has found, and how many rows it has read.
func check(ctx context.Context, dsn string, workers []*worker, lower []mark) ([]*Model, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return nil, 0, violated(failed, "connect: %v", err)
	}
	defer conn.Close(ctx)
	models, rows, err := compare(ctx, conn, workers, lower)
	var known *violation
	if err != nil && !errors.As(err, &known) {
		err = violated(failed, "%v", err)
	}
	return models, rows, err
}

func compare(ctx context.Context, conn *pgx.Conn, workers []*worker, lower []mark) ([]*Model, int64, error) {
	models := make([]*Model, len(workers))
	var rows int64
	for i, w := range workers {
		var n int64
		if err := conn.QueryRow(ctx, "SELECT n FROM worker WHERE id = $1", w.id).Scan(&n); err != nil {
			return nil, 0, fmt.Errorf("row of worker %d: %w", w.id, err)
		}
		m, err := w.at(n, lower[i].n)
		if err != nil {
			c, detail, _ := strings.Cut(err.Error(), ": ")
			return nil, 0, violated(class(c), "%s", detail)
		}
		models[i] = m
	}
	for _, t := range tables {
		want := map[string]int{}
		for i, w := range workers {
			t.expected(w, models[i], func(row string) { want[row]++ })
		}
		for _, p := range t.paths {
			got, n, err := read(ctx, conn, t.name, t.row, p)
			if err != nil {
				return nil, 0, err
			}
			rows += n
			if err := difference(want, got, t.name, p); err != nil {
				return nil, 0, err
			}
		}
	}
	n, err := compareBalances(ctx, conn, models)
	if err != nil {
		return nil, 0, err
	}
	return models, rows + n, compareSequences(ctx, conn, lower)
}

// read fetches a table by one path, and makes sure that it is that path.
func read(ctx context.Context, conn *pgx.Conn, table, row string, p path) (map[string]int, int64, error) {
	seq, index, sql := "on", "off", fmt.Sprintf("SELECT %s FROM %s", row, table)
	if p.index != "" {
		seq, index = index, seq
		sql += " WHERE " + p.where
	}
	settings := fmt.Sprintf("SET enable_seqscan = %s; SET enable_indexscan = %s; SET enable_indexonlyscan = %s; SET enable_bitmapscan = off", seq, index, index)
	if _, err := conn.Exec(ctx, settings); err != nil {
		return nil, 0, err
	}
	plan, err := texts(ctx, conn, "EXPLAIN "+sql)
	if err != nil {
		return nil, 0, err
	}
	text := strings.Join(plan, "\n")
	if !strings.Contains(text, p.planned()) {
		return nil, 0, violated(notCovered, "table %s by %q: the plan goes another way:\n%s", table, p.index, text)
	}
	list, err := texts(ctx, conn, sql)
	got := make(map[string]int, len(list))
	for _, r := range list {
		got[r]++
	}
	return got, int64(len(list)), err
}

func texts(ctx context.Context, conn *pgx.Conn, sql string) ([]string, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	return list, nil
}

// difference compares what a path gives with what must be there.
func difference(want, got map[string]int, table string, p path) error {
	missing, extra := torn, phantom
	where := "table " + table
	if p.index != "" {
		missing, extra = mismatch, mismatch
		where += " by index " + p.index
	}
	for row, n := range got {
		if n > want[row] {
			return violated(extra, "%s has a row %d times that it must have %d times: %.100s", where, n, want[row], row)
		}
	}
	for row, n := range want {
		if got[row] < n {
			return violated(missing, "%s lacks a row: %.100s", where, row)
		}
	}
	return nil
}

// compareBalances adds up what all workers have transferred.
func compareBalances(ctx context.Context, conn *pgx.Conn, models []*Model) (int64, error) {
	list, err := texts(ctx, conn, "SELECT id || ' ' || balance FROM account")
	if err != nil {
		return 0, err
	}
	got := map[string]int{}
	for _, r := range list {
		got[r]++
	}
	want := map[string]int{}
	for a := range accounts {
		balance := int64(opening)
		for _, m := range models {
			balance += m.balance[a]
		}
		want[fmt.Sprintf("%d %d", a, balance)]++
	}
	for _, row := range slices.Sorted(maps.Keys(want)) {
		if got[row] != 1 {
			return 0, violated(torn, "table account lacks %q; it has %d rows", row, len(list))
		}
	}
	var total int64
	if err := conn.QueryRow(ctx, "SELECT sum(balance)::bigint FROM account").Scan(&total); err != nil {
		return 0, err
	}
	if total != accounts*opening || len(list) != accounts {
		return 0, violated(torn, "%d balances sum to %d, not to %d", len(list), total, accounts*opening)
	}
	return int64(len(list)), nil
}

// compareSequences takes a value of each and expects a new one.
func compareSequences(ctx context.Context, conn *pgx.Conn, lower []mark) error {
	var id, ticket int64
	if err := conn.QueryRow(ctx, "SELECT nextval('event_id_seq'), nextval('ticket')").Scan(&id, &ticket); err != nil {
		return err
	}
	for i, m := range lower {
		if id <= m.sequence || ticket <= m.ticket {
			return violated(regress, "nextval gives %d and %d, worker %d was given %d and %d before", id, ticket, i, m.sequence, m.ticket)
		}
	}
	return nil
}
