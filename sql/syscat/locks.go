package syscat

import (
	"strconv"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/functions"
)

// fastPath are the table locks that PostgreSQL takes by its fast path.
var fastPath = map[string]bool{"AccessShareLock": true, "RowShareLock": true, "RowExclusiveLock": true}

// lockRows is pg_lock_status.
func lockRows(f Functions, _ *functions.Ctx, _ []datum) ([][]datum, error) {
	var out [][]datum
	begun := map[int32]uint64{}
	for _, a := range f.World.Activities() {
		begun[a.PID] = a.Transactions
		if a.TransactionStart != 0 {
			row := lockRow("virtualxid", a.PID, 0, a.Transactions, "ExclusiveLock", true)
			row[5], row[14] = row[10], flag(true)
			out = append(out, row)
		}
	}
	var stores map[engine.StoreID]catalog.OID
	for _, l := range f.World.DB().Locks() {
		row := lockRow(l.Kind, l.ProcessID, l.XID, begun[l.ProcessID], l.Mode, l.Granted)
		switch {
		case l.Store != 0:
			if stores == nil {
				stores = storeOwners(f.World.View())
			}
			if stores[l.Store] == 0 { // dropped since, or of another database
				continue
			}
			row[1], row[2] = num(f.World.View().DatabaseOID()), num(uint32(stores[l.Store]))
			if l.Kind == "tuple" && l.Object != 0 {
				page, tuple := l.Tuple()
				row[3], row[4] = num(page), num(int16(tuple))
			}
		case l.Kind == "transactionid":
			row[6] = num(uint32(l.Object))
		case l.Kind == "advisory":
			sub := 1
			if l.Pair {
				sub = 2
			}
			row[1], row[7], row[8], row[9] = num(l.Database), num(uint32(l.Object>>32)), num(uint32(l.Object)), num(sub)
		case l.Kind == "relation":
			if l.Object >= 1<<32 { // a descriptor's own lock: no relation of anybody's
				continue
			}
			row[1], row[2] = num(f.World.View().DatabaseOID()), num(uint32(l.Object))
			row[14] = flag(l.Granted && fastPath[l.Mode])
		}
		if !l.WaitStart.IsZero() && !l.Granted {
			row[15] = num(l.WaitStart.UnixMicro() - 946684800_000000)
		}
		out = append(out, row)
	}
	return out, nil
}

// lockRow fills what all kinds of lock have. Process 0 is a prepared transaction.
func lockRow(kind string, pid int32, xid, transaction uint64, mode string, granted bool) []datum {
	row := make([]datum, 16)
	for i := range row {
		row[i] = null
	}
	row[0], row[12], row[13], row[14] = str(kind), str(mode), flag(granted), flag(false)
	if pid == 0 {
		row[10] = str("-1/" + strconv.FormatUint(xid, 10))
	} else {
		row[10], row[11] = str(strconv.Itoa(int(pid))+"/"+strconv.FormatUint(transaction, 10)), num(pid)
	}
	return row
}

// lockWaits names the lock that each waiting process waits for, as wait_event does.
func lockWaits(db *engine.DB) map[int32]string {
	waits := map[int32]string{}
	for _, l := range db.Locks() {
		if l.Granted || l.ProcessID == 0 {
			continue
		}
		event := l.Kind
		if l.Kind == "relation" && l.Object >= 1<<32 {
			event = "object"
		}
		waits[l.ProcessID] = event
	}
	return waits
}

// storeOwners finds tables and indexes by where they keep their rows.
func storeOwners(v *catalog.View) map[engine.StoreID]catalog.OID {
	owners := make(map[engine.StoreID]catalog.OID)
	v.Relations(func(r *catalog.Relation) bool {
		if r.Store != 0 {
			owners[engine.StoreID(r.Store)] = r.OID
			for _, i := range v.IndexesOf(r) {
				if i.Store != 0 {
					owners[engine.StoreID(i.Store)] = i.OID
				}
			}
		}
		return true
	})
	return owners
}
