package sqlsim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// look compares an open database with the ledgers. later tells that a transaction is there which nobody was told of.
func look(s *stack, c *crash, list []*client) (found [clients]*state, later bool, err error) {
	x, err := s.connect()
	if err != nil {
		return found, false, err
	}
	defer x.Close()
	for i, k := range list {
		out, err := x.query("SELECT n FROM done WHERE client = %d", i)
		if err != nil || len(out) != 1 {
			return found, false, fmt.Errorf("lost: client %d has no row: %v, %w", i, out, err)
		}
		n, err := strconv.ParseInt(out[0], 10, 64)
		if err != nil {
			return found, false, err
		}
		state := k.at(n)
		switch {
		case n < c.acked[i]:
			return found, false, fmt.Errorf("lost: client %d ends with transaction %d, %d was acknowledged", i, n, c.acked[i])
		case n > c.sent[i] || state == nil:
			return found, false, fmt.Errorf("phantom: client %d ends with transaction %d, %d were sent", i, n, c.sent[i])
		}
		later = later || n > c.acked[i]
		if err := lookAt(x, i, state); err != nil {
			return found, false, fmt.Errorf("client %d after transaction %d: %w", i, n, err)
		}
		found[i] = state
	}
	if out, err := x.query("SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind IN ('r', 'i', 'S')"); err != nil || len(out) > 0 {
		return found, false, fmt.Errorf("phantom: temporary relations %v (%w)", out, err)
	}
	return found, later, s.db.Verify(context.Background(), nil)
}

// lookAt compares everything of one client with a state.
func lookAt(x *session, client int, s *state) error {
	out, err := x.query("SELECT relname FROM pg_class WHERE relname LIKE 'c%d\\_t%%' AND (relkind = 'r' OR relname LIKE '%%\\_note') ORDER BY relname COLLATE \"C\"", client)
	if err != nil {
		return err
	}
	if want := s.relations(); !slices.Equal(out, want) {
		return fmt.Errorf("torn: the catalog has %v, want %v", out, want)
	}
	for _, name := range s.names() {
		if err := lookTable(x, name, s.tables[name]); err != nil {
			return fmt.Errorf("table %s: %w", name, err)
		}
	}
	out, err = x.query("SELECT nextval('c%d_seq')", client)
	if err != nil {
		return err
	}
	if n, err := strconv.ParseInt(out[0], 10, 64); err != nil || n <= s.sequence {
		return fmt.Errorf("sequence regress: %d after %d (%w)", n, s.sequence, err)
	}
	return nil
}

// lookTable compares the rows by scan and by every index.
func lookTable(x *session, name string, t *table) error {
	columns := strings.Join(append([]string{"id", "u", "note"}, t.columns...), ", ")
	ways := []struct{ settings, where, plan string }{
		{"SET enable_seqscan = on; SET enable_indexscan = off", "", "Seq Scan"},
		{"SET enable_seqscan = off; SET enable_indexscan = on", "WHERE u > 0", "_u_key on " + name}, /* the index keeps its name when the table gets another */
	}
	if t.index {
		ways = append(ways, struct{ settings, where, plan string }{ways[1].settings, "WHERE note >= ''", name + "_note"})
	}
	for _, w := range ways {
		sql := fmt.Sprintf("SELECT %s FROM %s %s", columns, name, w.where)
		if err := x.exec("%s", w.settings); err != nil {
			return err
		}
		plan, err := x.query("EXPLAIN %s", sql)
		if err != nil {
			return err
		}
		if !strings.Contains(strings.Join(plan, "\n"), w.plan) {
			return fmt.Errorf("%s does not go by %s, so nothing is shown:\n%s", sql, w.plan, strings.Join(plan, "\n"))
		}
		got, err := x.query("%s", sql)
		if err != nil {
			return err
		}
		want := t.lines()
		if strings.HasPrefix(w.where, "WHERE note") {
			want = slices.DeleteFunc(want, func(line string) bool { return strings.Split(line, "|")[2] == "NULL" })
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Errorf("by %s there are %d rows, want %d%s", w.plan, len(got), len(want), firstDifference(got, want))
		}
	}
	if t.kids == nil {
		return nil
	}
	got, err := x.query("SELECT id, p FROM %s_kid", name)
	if err != nil {
		return err
	}
	want := t.kidLines()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("the children are %v, want %v", got, want)
	}
	return nil
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("; first %.60q, want %.60q", g, w)
		}
	}
	return ""
}
