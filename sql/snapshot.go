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
	pid      int32
}

// exportSnapshot is pg_export_snapshot.
func (x *Session) exportSnapshot() (string, error) {
	if len(x.savepoints) > 0 {
		return "", pgerr.New(pgerr.ActiveSQLTransaction, "cannot export a snapshot from a subtransaction")
	}
	e := &exportedSnapshot{snapshot: x.txn.Export(), database: x.database, from: x.txn.Options(), pid: x.pid}
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
	if err := x.refuseSerializable(e); err != nil {
		return err
	}
	if e.database != x.database {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot import a snapshot from a different database")
	}
	if !x.txn.Import(e.snapshot) {
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "could not import the requested snapshot").
			WithDetail("The source process with PID %d is not running anymore.", e.pid)
	}
	x.imported = true
	return nil
}

// refuseSerializable tells why a SERIALIZABLE transaction cannot have a snapshot.
func (x *Session) refuseSerializable(e *exportedSnapshot) error {
	refused := ""
	switch o := x.txn.Options(); {
	case o.Isolation != engine.Serializable:
		return nil
	case e.from.Isolation != engine.Serializable:
		refused = "a serializable transaction cannot import a snapshot from a non-serializable transaction"
	case e.from.ReadOnly && !o.ReadOnly:
		refused = "a non-read-only serializable transaction cannot import a snapshot from a read-only transaction"
	case e.database == x.database && o.ReadOnly && o.Deferrable:
		refused = "a snapshot-importing transaction must not be READ ONLY DEFERRABLE"
	default:
		return nil
	}
	return pgerr.New(pgerr.FeatureNotSupported, "%s", refused)
}
