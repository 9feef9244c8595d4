package simulation

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/engine/keys"
)

// Stores with fixed numbers, and the lock that stands for the table.
const (
	catalogStore  engine.StoreID = 1
	ledgerStore   engine.StoreID = 2
	sequenceStore engine.StoreID = 3
	agingStore    engine.StoreID = 4 // its rows expire
	tableLock                    = 1
	baseColumns                  = 3 // key, text, unique number
	maxColumns                   = 6
)

var ctx = context.Background()

// schema is the catalog's row: which stores are the table and its indexes.
type schema struct {
	table, index, unique engine.StoreID
	width                int
}

func (s schema) row() []column.Datum {
	return []column.Datum{column.IntDatum(int64(s.table)), column.IntDatum(int64(s.index)), column.IntDatum(int64(s.unique)), column.IntDatum(int64(s.width))}
}

func readSchema(s *engine.Snapshot) (schema, error) {
	dst := make([]column.Datum, 4)
	ok, err := s.Get(catalogStore, intKey(1), nil, dst)
	if err == nil && !ok {
		err = fmt.Errorf("lost: the catalog's row")
	}
	return schema{engine.StoreID(dst[0].I), engine.StoreID(dst[1].I), engine.StoreID(dst[2].I), int(dst[3].I)}, err
}

func intKey(n int64) []byte { return keys.AppendInt(nil, n, 0) }

func indexKey(text string, k int64) []byte {
	return keys.AppendInt(keys.AppendBytes(nil, []byte(text), 0), k, 0)
}

func columns(kinds ...column.Kind) (list []engine.ColumnDef) {
	for _, k := range kinds {
		list = append(list, engine.ColumnDef{Kind: k, Missing: column.Null()})
	}
	return list
}

// tableDef is the table's store with columns that rows of earlier widths lack.
func (s schema) tableDef() engine.StoreDef {
	def := engine.StoreDef{ID: s.table, Name: "table", Columns: columns(column.Int, column.Bytes, column.Int)}
	for i := baseColumns; i < s.width; i++ {
		def.Columns = append(def.Columns, engine.ColumnDef{Kind: column.Int, Missing: column.IntDatum(int64(i))})
	}
	return def
}

func (s schema) create(tx *engine.Txn) error {
	for _, def := range []engine.StoreDef{s.tableDef(),
		{ID: s.index, Name: "index", Columns: columns(column.Bytes)},
		{ID: s.unique, Name: "unique", Columns: columns(column.Bytes)}} {
		if err := tx.CreateStore(def); err != nil {
			return err
		}
	}
	return nil
}

// setUp makes the schema of a fresh database.
func setUp(db *engine.DB) error {
	tx := db.Begin(engine.TxnOptions{})
	defer tx.Rollback()
	s := schema{table: db.NewStoreID(), index: db.NewStoreID(), unique: db.NewStoreID(), width: baseColumns}
	if err := tx.CreateStore(engine.StoreDef{ID: catalogStore, Name: "catalog", Columns: columns(column.Int, column.Int, column.Int, column.Int)}); err != nil {
		return err
	}
	if err := tx.CreateStore(engine.StoreDef{ID: ledgerStore, Name: "ledger", Columns: columns(column.Int)}); err != nil {
		return err
	}
	if err := tx.CreateStore(engine.StoreDef{ID: agingStore, Name: "aging", Columns: columns(column.Int, column.Int)}); err != nil {
		return err
	}
	if err := tx.CreateSequence(sequenceStore, engine.SequenceState{Last: 1}); err != nil {
		return err
	}
	if err := s.create(tx); err != nil {
		return err
	}
	if err := tx.Insert(ctx, catalogStore, intKey(1), s.row()); err != nil {
		return err
	}
	_, err := tx.Commit(ctx)
	return err
}

// values is a record as the table store holds it.
func (r record) values(k int64) []column.Datum {
	row := []column.Datum{column.IntDatum(k), column.StringDatum(r.text), column.IntDatum(r.unique)}
	for i := baseColumns; i < r.width; i++ {
		row = append(row, column.IntDatum(r.unique+int64(i)))
	}
	return row
}

// scan calls fn for every row of a store.
func scan(s *engine.Snapshot, id engine.StoreID, fn func(key []byte, row []column.Datum) error) error {
	it := s.Scan(id, engine.ScanOptions{Keys: true})
	defer it.Close()
	var b column.Batch
	for {
		ok, err := it.Next(&b)
		if err != nil || !ok {
			return err
		}
		for i, k := range it.Keys() {
			row := make([]column.Datum, len(b.Cols))
			for c := range row {
				row[c] = b.Cols[c].Datum(b.Row(i))
			}
			if err := fn(k, row); err != nil {
				return err
			}
		}
	}
}

// contents reads the table through a snapshot and compares its indexes with it.
func contents(s *engine.Snapshot) (map[int64]record, schema, error) {
	sc, err := readSchema(s)
	if err != nil {
		return nil, sc, err
	}
	rows := map[int64]record{}
	err = scan(s, sc.table, func(key []byte, row []column.Datum) error {
		k, r := row[0].I, record{text: row[1].String(), unique: row[2].I, width: len(row)}
		if !bytes.Equal(key, intKey(k)) || len(row) != sc.width {
			return fmt.Errorf("torn: key %x holds row %d of %d columns", key, k, len(row))
		}
		whole := baseColumns // columns written, before those that are filled in
		for whole < len(row) && row[whole].I == r.unique+int64(whole) {
			whole++
		}
		for i := whole; i < len(row); i++ {
			if row[i].I != int64(i) {
				return fmt.Errorf("torn: column %d of row %d is %d", i, k, row[i].I)
			}
		}
		rows[k] = r
		return nil
	})
	if err == nil {
		err = agree(s, sc, rows)
	}
	return rows, sc, err
}

// agree compares the index stores with the rows of the table store.
func agree(s *engine.Snapshot, sc schema, rows map[int64]record) error {
	for _, index := range []struct {
		id  engine.StoreID
		key func(k int64, r record) []byte
	}{{sc.index, func(k int64, r record) []byte { return indexKey(r.text, k) }},
		{sc.unique, func(_ int64, r record) []byte { return intKey(r.unique) }}} {
		n := 0
		err := scan(s, index.id, func(key []byte, row []column.Datum) error {
			n++
			d, _, _, err := keys.Decode(row[0].B, column.Int, 0, nil)
			k := d.I
			r, ok := rows[k]
			if err != nil || !ok || !bytes.Equal(key, index.key(k, r)) {
				return fmt.Errorf("index mismatch: entry %x leads to row %d, which is %v", key, k, r)
			}
			return nil
		})
		if err == nil && n != len(rows) {
			err = fmt.Errorf("index mismatch: %d entries for %d rows", n, len(rows))
		}
		if err == nil {
			var c int64
			if c, err = s.Count(index.id, nil, nil); err == nil && int(c) != n {
				err = fmt.Errorf("index mismatch: count is %d, scan found %d", c, n)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readAging returns the rows of the store whose rows expire. Counting and
// looking up must find what the scan does.
func readAging(s *engine.Snapshot) (map[int64]int64, error) {
	ages := map[int64]int64{}
	err := scan(s, agingStore, func(_ []byte, row []column.Datum) error {
		ages[row[0].I] = row[1].I
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n, err := s.Count(agingStore, nil, nil); err != nil || int(n) != len(ages) {
		return nil, errors.Join(err, fmt.Errorf("expiry mismatch: count is %d, scan found %d", n, len(ages)))
	}
	for k := range int64(agingSpan) {
		row := make([]column.Datum, 2)
		ok, err := s.Get(agingStore, intKey(k), nil, row)
		if err != nil {
			return nil, err
		}
		if age, there := ages[k]; ok != there || ok && row[1].I != age {
			return nil, fmt.Errorf("expiry mismatch: row %d is %v, the scan found %d", k, row, age)
		}
	}
	return ages, nil
}

// agingSpan is the number of keys of the store whose rows expire.
const agingSpan = 40

// readLedger returns the numbers of the transactions that left theirs.
func readLedger(s *engine.Snapshot) (map[int64]bool, error) {
	seen := map[int64]bool{}
	err := scan(s, ledgerStore, func(_ []byte, row []column.Datum) error {
		seen[row[0].I] = true
		return nil
	})
	return seen, err
}
