package sqlsim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/pgerr"
)

// Sizes of the work of a client.
const (
	maxTables = 3
	maxID     = 30 // of rows that are inserted one by one
	bulkRows  = 60 // of those that come by INSERT … SELECT, with numbers above 1000
	longText  = 1500
)

// client is one connection's work and its ledger.
type client struct {
	id      int
	rng     *rand.Rand
	session *session
	states  []*state // by number of transaction, from the base on
	base    int64    // number of states[0]
	acked   int64
	fresh   int64 // makes unique numbers
	err     error
}

func (c *client) last() *state { return c.states[len(c.states)-1] }

// at returns the state after transaction n, nil where there was none.
func (c *client) at(n int64) *state {
	if n < c.base || n-c.base >= int64(len(c.states)) {
		return nil
	}
	return c.states[n-c.base]
}

func (c *client) unique() int64 { c.fresh++; return c.fresh }

// transaction runs one to four steps. It returns an error for an answer that is wrong.
func (c *client) transaction() error {
	s := c.last().clone()
	s.n++
	if err := c.session.exec("BEGIN"); err != nil {
		return err
	}
	for range 1 + c.rng.IntN(4) {
		if err := c.step(s); err != nil {
			var e *pgerr.Error
			if errors.As(err, &e) && strings.HasPrefix(e.Code, "40") {
				return c.session.exec("ROLLBACK")
			}
			return err
		}
	}
	if c.rng.IntN(8) == 0 {
		return c.session.exec("ROLLBACK")
	}
	if err := c.session.exec("UPDATE done SET n = %d WHERE client = %d", s.n, c.id); err != nil {
		return err
	}
	c.states = append(c.states, s)
	if err := c.session.exec("COMMIT"); err != nil {
		return err
	}
	c.acked = s.n
	return nil
}

// steps are what a transaction does; each changes the database and the state alike.
var steps []weighted

type weighted struct {
	weight int
	do     func(*client, *state) error
}

func init() { // undo takes steps itself
	steps = []weighted{
		{6, (*client).insert}, {5, (*client).update}, {3, (*client).remove}, {3, (*client).child}, {2, (*client).create}, {1, (*client).drop},
		{1, (*client).addColumn}, {1, (*client).dropColumn}, {1, (*client).index}, {1, (*client).truncate}, {1, (*client).rename},
		{2, (*client).bulk}, {1, (*client).temporary}, {2, (*client).takeNumber}, {3, (*client).undo}, {3, (*client).violate}, {1, (*client).checkpoint},
	}
}

func (c *client) step(s *state) error {
	total := 0
	for _, x := range steps {
		total += x.weight
	}
	n := c.rng.IntN(total)
	for _, x := range steps {
		if n -= x.weight; n < 0 {
			return x.do(c, s)
		}
	}
	return nil
}

// pick chooses a table; without one a table is made.
func (c *client) pick(s *state) (string, *table, error) {
	names := s.names()
	if len(names) == 0 {
		if err := c.create(s); err != nil {
			return "", nil, err
		}
		names = s.names()
	}
	name := names[c.rng.IntN(len(names))]
	return name, s.tables[name], nil
}

func (c *client) create(s *state) error {
	if len(s.tables) >= maxTables {
		return nil
	}
	name := fmt.Sprintf("c%d_t%d", c.id, c.unique())
	t := &table{rows: map[int64]row{}}
	s.tables[name] = t
	if err := c.session.exec("CREATE TABLE %s (id int PRIMARY KEY, u bigint UNIQUE, note text)", name); err != nil {
		return err
	}
	if c.rng.IntN(2) == 0 {
		t.kids = map[int64]int64{}
		return c.session.exec("CREATE TABLE %s_kid (id int PRIMARY KEY, p int NOT NULL REFERENCES %s ON DELETE CASCADE)", name, name)
	}
	return nil
}

func (c *client) drop(s *state) error {
	name, t, err := c.pick(s)
	if err != nil {
		return err
	}
	delete(s.tables, name)
	if t.kids != nil {
		return c.session.exec("DROP TABLE %s_kid, %s", name, name)
	}
	return c.session.exec("DROP TABLE %s", name)
}

// note returns a text as SQL and as it is read.
func (c *client) note() (literal, text string) {
	switch c.rng.IntN(6) {
	case 0:
		return "NULL", "NULL"
	case 1:
		text = strings.Repeat(strconv.Itoa(c.rng.IntN(10)), c.rng.IntN(longText))
	default:
		text = fmt.Sprintf("note %d", c.rng.IntN(50))
	}
	return "'" + text + "'", text
}

func (c *client) insert(s *state) error {
	name, t, err := c.pick(s)
	if err != nil {
		return err
	}
	var values []string
	for range 1 + c.rng.IntN(3) {
		id := int64(c.rng.IntN(maxID))
		if t.rows[id] != nil {
			continue
		}
		u := c.unique()
		literal, text := c.note()
		r, v := row{strconv.FormatInt(u, 10), text}, fmt.Sprintf("(%d, %d, %s", id, u, literal)
		for range t.columns {
			n := strconv.Itoa(c.rng.IntN(100))
			r, v = append(r, n), v+", "+n
		}
		t.rows[id] = r
		values = append(values, v+")")
	}
	if len(values) == 0 {
		return nil
	}
	return c.session.exec("INSERT INTO %s VALUES %s", name, strings.Join(values, ", "))
}

// bulk replaces the rows with large numbers by others, many at a time.
func (c *client) bulk(s *state) error {
	name, t, err := c.pick(s)
	if err != nil {
		return err
	}
	if err := c.session.exec("DELETE FROM %s WHERE id >= 1000", name); err != nil {
		return err
	}
	for id := range t.rows {
		if id >= 1000 {
			delete(t.rows, id)
		}
	}
	t.orphan()
	first, n := c.fresh+1, int64(1+c.rng.IntN(bulkRows))
	c.fresh += n
	extra := strings.Repeat(", 7", len(t.columns))
	for i := range n {
		r := row{strconv.FormatInt(first+i, 10), "bulk"}
		for range t.columns {
			r = append(r, "7")
		}
		t.rows[1000+i] = r
	}
	return c.session.exec("INSERT INTO %s SELECT 1000 + g, %d + g, 'bulk'%s FROM generate_series(0, %d) g", name, first, extra, n-1)
}

func (c *client) update(s *state) error {
	name, t, err := c.pick(s)
	if err != nil || len(t.rows) == 0 {
		return err
	}
	if c.rng.IntN(3) == 0 { // many rows
		from := int64(c.rng.IntN(maxID))
		for id, r := range t.rows {
			if id >= from && id < from+10 {
				r[1] = "changed"
			}
		}
		return c.session.exec("UPDATE %s SET note = 'changed' WHERE id >= %d AND id < %d", name, from, from+10)
	}
	ids := t.ids()
	id, u := ids[c.rng.IntN(len(ids))], c.unique()
	literal, text := c.note()
	t.rows[id][0], t.rows[id][1] = strconv.FormatInt(u, 10), text
	return c.session.exec("UPDATE %s SET u = %d, note = %s WHERE id = %d", name, u, literal, id)
}

func (c *client) remove(s *state) error {
	name, t, err := c.pick(s)
	if err != nil {
		return err
	}
	from := int64(c.rng.IntN(maxID))
	for id := range t.rows {
		if id >= from && id < from+4 {
			delete(t.rows, id)
		}
	}
	t.orphan()
	return c.session.exec("DELETE FROM %s WHERE id BETWEEN %d AND %d", name, from, from+3)
}

func (c *client) child(s *state) error {
	name, t, err := c.pick(s)
	if err != nil || t.kids == nil || len(t.rows) == 0 {
		return err
	}
	ids := t.ids()
	parent, id := ids[c.rng.IntN(len(ids))], c.unique()
	t.kids[id] = parent
	return c.session.exec("INSERT INTO %s_kid VALUES (%d, %d)", name, id, parent)
}

func (c *client) addColumn(s *state) error {
	name, t, err := c.pick(s)
	if err != nil || len(t.columns) >= 3 {
		return err
	}
	column, value := fmt.Sprintf("x%d", c.unique()), strconv.Itoa(c.rng.IntN(100))
	t.columns = append(t.columns, column)
	for id := range t.rows {
		t.rows[id] = append(t.rows[id], value)
	}
	return c.session.exec("ALTER TABLE %s ADD COLUMN %s int DEFAULT %s", name, column, value)
}

func (c *client) dropColumn(s *state) error {
	name, t, err := c.pick(s)
	if err != nil || len(t.columns) == 0 {
		return err
	}
	i := c.rng.IntN(len(t.columns))
	column := t.columns[i]
	t.columns = slices.Delete(t.columns, i, i+1)
	for id, r := range t.rows {
		t.rows[id] = slices.Delete(r, i+2, i+3)
	}
	return c.session.exec("ALTER TABLE %s DROP COLUMN %s", name, column)
}

func (c *client) index(s *state) error {
	name, t, err := c.pick(s)
	if err != nil {
		return err
	}
	if t.index = !t.index; t.index {
		return c.session.exec("CREATE INDEX %s_note ON %s (note)", name, name)
	}
	return c.session.exec("DROP INDEX %s_note", name)
}

func (c *client) truncate(s *state) error {
	name, t, err := c.pick(s)
	if err != nil {
		return err
	}
	clear(t.rows)
	clear(t.kids)
	if t.kids != nil {
		return c.session.exec("TRUNCATE %s, %s_kid", name, name)
	}
	return c.session.exec("TRUNCATE %s", name)
}

func (c *client) rename(s *state) error {
	name, t, err := c.pick(s)
	if err != nil || t.kids != nil || t.index {
		return err
	}
	to := fmt.Sprintf("c%d_t%d", c.id, c.unique())
	delete(s.tables, name)
	s.tables[to] = t
	return c.session.exec("ALTER TABLE %s RENAME TO %s", name, to)
}

func (c *client) temporary(*state) error {
	return c.session.exec("CREATE TEMP TABLE IF NOT EXISTS scratch (id serial PRIMARY KEY, a int); INSERT INTO scratch (a) SELECT g FROM generate_series(1, 20) g")
}

func (c *client) takeNumber(s *state) error {
	out, err := c.session.query("SELECT nextval('c%d_seq')", c.id)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(out[0], 10, 64)
	if err == nil && n <= s.sequence {
		err = fmt.Errorf("sequence regress: %d after %d", n, s.sequence)
	}
	s.sequence = max(s.sequence, n)
	return err
}

// undo takes some steps back by a savepoint; a number that was taken stays taken.
func (c *client) undo(s *state) error {
	if err := c.session.exec("SAVEPOINT undo"); err != nil {
		return err
	}
	away := s.clone()
	for range 1 + c.rng.IntN(2) {
		if err := c.step(away); err != nil {
			return err
		}
	}
	return c.session.exec("ROLLBACK TO undo; RELEASE undo")
}

// violate does what must be refused.
func (c *client) violate(s *state) error {
	name, t, err := c.pick(s)
	if err != nil || len(t.rows) == 0 {
		return err
	}
	ids := t.ids()
	id := ids[c.rng.IntN(len(ids))]
	text, want := fmt.Sprintf("INSERT INTO %s (id, u) VALUES (%d, %d)", name, id, c.unique()), pgerr.UniqueViolation
	switch c.rng.IntN(3) {
	case 0:
		text = fmt.Sprintf("INSERT INTO %s (id, u) VALUES (%d, %s)", name, 100000, t.rows[id][0])
	case 1:
		if t.kids != nil {
			text, want = fmt.Sprintf("INSERT INTO %s_kid VALUES (%d, 100000)", name, c.unique()), pgerr.ForeignKeyViolation
		}
	}
	if err := c.session.exec("SAVEPOINT violation"); err != nil {
		return err
	}
	var e *pgerr.Error
	if err := c.session.exec("%s", text); !errors.As(err, &e) || e.Code != want {
		return fmt.Errorf("%s: SQLSTATE %s was expected: %v", text, want, err)
	}
	return c.session.exec("ROLLBACK TO violation; RELEASE violation")
}

// checkpoint has what is in memory written to data files, now and then.
func (c *client) checkpoint(*state) error { return c.session.exec("CHECKPOINT") }
