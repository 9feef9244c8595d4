package catalog

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/engine/column"
)

// The catalog's own store and sequence. Engine.NewStoreID returns neither.
const (
	catalogStore engine.StoreID = 1
	oidSequence  engine.StoreID = 2
)

// storeFormat is the version of the layout below; Open refuses others.
//
//	key:  database (4 bytes) · class (1) · OID (4), big-endian; the format row has zeros
//	row:  the descriptor's encoding (see codec.go); of the format row: the format in one byte
const storeFormat = 1

var storeDef = engine.StoreDef{
	ID:      catalogStore,
	Name:    "catalog",
	Columns: []engine.ColumnDef{{Kind: column.Bytes}},
}

func storeKey(database OID, k objectKey) []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 9), database)
	b = append(b, byte(k.class()))
	return binary.BigEndian.AppendUint32(b, k.oid())
}

// load reads every descriptor.
func (c *Catalog) load() ([]change, error) {
	txn := c.db.Begin(engine.TxnOptions{ReadOnly: true})
	defer txn.Rollback()
	snap := txn.Snapshot()
	defer snap.Close()
	var row [1]column.Datum
	found, err := snap.Get(catalogStore, storeKey(0, 0), nil, row[:])
	if err != nil {
		return nil, err
	}
	if !found || len(row[0].B) != 1 || row[0].B[0] != storeFormat {
		return nil, fmt.Errorf("the catalog has format %x, this version reads %d", row[0].B, storeFormat)
	}
	it := snap.Scan(catalogStore, engine.ScanOptions{Keys: true, Cols: []int{0}})
	defer it.Close()
	var list []change
	var batch column.Batch
	for {
		more, err := it.Next(&batch)
		if err != nil {
			return nil, err
		}
		if !more {
			return list, nil
		}
		keys := it.Keys()
		for i := range batch.Len() {
			key := keys[i]
			if len(key) != 9 || key[4] == 0 {
				continue
			}
			o, err := Decode(batch.Cols[0].Datum(batch.Row(i)).B)
			if err != nil {
				return nil, err
			}
			list = append(list, change{
				database: OID(binary.BigEndian.Uint32(key)),
				key:      keyOf(o.Class(), o.Head().OID),
				object:   o,
			})
		}
	}
}

// bootstrap writes the catalog of a fresh server.
func (c *Catalog) bootstrap(o Options) error {
	ctx := context.Background()
	txn := c.db.Begin(engine.TxnOptions{})
	defer txn.Rollback()
	if err := txn.CreateStore(storeDef); err != nil {
		return err
	}
	if err := txn.CreateSequence(oidSequence, engine.SequenceState{Last: int64(FirstUserOID)}); err != nil {
		return err
	}
	own, err := c.NewOID()
	if err != nil {
		return err
	}
	write := func(database OID, o Object) error {
		o.Head().Version = 1
		return txn.Insert(ctx, catalogStore, storeKey(database, keyOf(o.Class(), o.Head().OID)), encodeRow(o))
	}
	if err := txn.Insert(ctx, catalogStore, storeKey(0, 0), []column.Datum{column.BytesDatum([]byte{storeFormat})}); err != nil {
		return err
	}
	for _, object := range bootstrapShared(o, own) {
		if err := write(0, object); err != nil {
			return err
		}
		if _, ok := object.(*Database); !ok {
			continue
		}
		for _, s := range bootstrapDatabase() {
			if err := write(object.Head().OID, s); err != nil {
				return err
			}
		}
	}
	_, err = txn.Commit(ctx)
	return err
}

func encodeRow(o Object) []column.Datum {
	return []column.Datum{column.BytesDatum(Encode(o))}
}
