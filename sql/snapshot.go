package sql

import (
	"fmt"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
)

// exportedSnapshot is a snapshot that other sessions of the database may take.
type exportedSnapshot struct {
	snapshot *engine.Exported
	database catalog.OID
	from     engine.TxnOptions // of the exporting transaction
}

// exportSnapshot is pg_export_snapshot.
func (x *Session) exportSnapshot() (string, error) {
	if len(x.savepoints) > 0 {
		return "", pgerr.New(pgerr.ActiveSQLTransaction, "cannot export a snapshot from a subtransaction")
	}
	e := &exportedSnapshot{snapshot: x.txn.Export(), database: x.database, from: x.txn.Options()}
	s := x.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exported++
	id := fmt.Sprintf("%08X-%08X-%d", x.pid, s.exported, len(x.exports)+1)
	s.exports[id] = e
	x.exports = append(x.exports, id)
	return id, nil
}

// endExports makes what the transaction exported unknown.
func (x *Session) endExports() {
	if len(x.exports) == 0 {
		return
	}
	x.srv.mu.Lock()
	defer x.srv.mu.Unlock()
	for _, id := range x.exports {
		delete(x.srv.exports, id)
	}
	x.exports = nil
}

// importSnapshot is SET TRANSACTION SNAPSHOT.
func (x *Session) importSnapshot(id string) error {
	switch level := x.txn.Options().Isolation; {
	case x.activity.statements > 0 || x.imported || len(x.savepoints) > 0:
		return pgerr.New(pgerr.ActiveSQLTransaction, "SET TRANSACTION SNAPSHOT must be called before any query")
	case level == engine.ReadCommitted:
		return pgerr.New(pgerr.FeatureNotSupported, "a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ")
	}
	invalid := pgerr.New(pgerr.InvalidParameterValue, "invalid snapshot identifier: \"%s\"", id)
	if strings.Trim(id, "0123456789ABCDEF-") != "" {
		return invalid
	}
	x.srv.mu.Lock()
	e := x.srv.exports[id]
	x.srv.mu.Unlock()
	if e == nil {
		return invalid
	}
	if x.txn.Options().Isolation == engine.Serializable {
		return x.importSerializable(e)
	}
	if e.database != x.database {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot import a snapshot from a different database")
	}
	if !x.txn.Import(e.snapshot) {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "could not import the requested snapshot").
			WithDetail("The source transaction is not running anymore.")
	}
	x.imported = true
	return nil
}

// importSerializable tells why a SERIALIZABLE transaction cannot have the snapshot. One that may have it on
// PostgreSQL would have to be watched as if it had begun with the exporter, which is not supported.
func (x *Session) importSerializable(e *exportedSnapshot) error {
	refused := "SET TRANSACTION SNAPSHOT in a SERIALIZABLE transaction is not supported"
	switch o := x.txn.Options(); {
	case e.from.Isolation != engine.Serializable:
		refused = "a serializable transaction cannot import a snapshot from a non-serializable transaction"
	case e.from.ReadOnly && !o.ReadOnly:
		refused = "a non-read-only serializable transaction cannot import a snapshot from a read-only transaction"
	}
	return pgerr.New(pgerr.FeatureNotSupported, "%s", refused)
}
