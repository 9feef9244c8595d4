package sql

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/omendb/omendb/engine"
	"github.com/omendb/omendb/sql/catalog"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/plan"
	"github.com/omendb/omendb/sql/syscat"
)

// maxGID bounds the name of a prepared transaction, as in PostgreSQL.
const maxGID = 199

// prepareTransaction is PREPARE TRANSACTION. Outside a block it does nothing,
// in a failed one it rolls back; the tag says so.
func (x *Session) prepareTransaction(ctx context.Context, t *plan.Transaction) (string, error) {
	switch x.state {
	case txnFailed:
		x.rollback()
		return "ROLLBACK", nil
	case txnBlock:
	default:
		x.notice(pgerr.New(pgerr.NoActiveSQLTransaction, "there is no transaction in progress").WithSeverity("WARNING"))
		return "ROLLBACK", nil
	}
	if err := x.prepareGID(ctx, t.Name); err != nil {
		x.rollback()
		return "", err
	}
	x.values.Commit()
	x.endTransaction()
	return t.Tag(), nil
}

func (x *Session) prepareGID(ctx context.Context, gid string) error {
	for _, p := range x.portals {
		if p.cursor != nil && p.cursor.def.Hold && !p.cursor.held {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot PREPARE a transaction that has created a cursor WITH HOLD")
		}
	}
	if err := x.prepareCommit(ctx); err != nil {
		return err
	}
	switch limit := int(x.values.Int("max_prepared_transactions")); {
	case len(x.listenOps) > 0 || len(x.pendingNtf) > 0:
		return pgerr.New(pgerr.FeatureNotSupported, "cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY")
	case x.usedTemp || !x.view.Detach():
		return pgerr.New(pgerr.FeatureNotSupported, "cannot PREPARE a transaction that has operated on temporary objects")
	case x.txn.Exports():
		return pgerr.New(pgerr.FeatureNotSupported, "cannot PREPARE a transaction that has exported snapshots")
	case len(gid) > maxGID:
		return pgerr.New(pgerr.InvalidParameterValue, "transaction identifier \"%s\" is too long", gid)
	case limit == 0:
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "prepared transactions are disabled").
			WithHint("Set max_prepared_transactions to a nonzero value.")
	default:
		_, err := x.txn.Prepare(ctx, gid, preparedMeta(x.user, x.database), limit)
		return x.prepareError(err, gid, limit)
	}
}

func (x *Session) prepareError(err error, gid string, limit int) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrPreparedExists):
		return pgerr.New(pgerr.DuplicateObject, "transaction identifier \"%s\" is already in use", gid)
	case errors.Is(err, engine.ErrPreparedLimit):
		return pgerr.New(pgerr.OutOfMemory, "maximum number of prepared transactions reached").
			WithHint("Increase max_prepared_transactions (currently %d).", limit)
	case errors.Is(err, engine.ErrSessionLock):
		return pgerr.New(pgerr.FeatureNotSupported, "cannot PREPARE while holding both session-level and transaction-level locks on the same object")
	}
	return commitError(err)
}

// finishPrepared is COMMIT PREPARED and ROLLBACK PREPARED.
func (x *Session) finishPrepared(ctx context.Context, t *plan.Transaction, alone bool) error {
	if x.state == txnBlock || !alone {
		return pgerr.New(pgerr.ActiveSQLTransaction, "%s cannot run inside a transaction block", strings.ToUpper(t.Kind))
	}
	_, err := x.srv.opts.DB.FinishPrepared(ctx, t.Name, t.Kind == "commit prepared", func(p engine.PreparedInfo) error {
		owner, database := preparedOwner(p.Meta)
		if owner != x.user && !x.isSuperuser() {
			return pgerr.New(pgerr.InsufficientPrivilege, "permission denied to finish prepared transaction").
				WithHint("Must be superuser or the user that prepared the transaction.")
		}
		if database != x.database {
			return pgerr.New(pgerr.FeatureNotSupported, "prepared transaction belongs to another database").
				WithHint("Connect to the database where the transaction was prepared to finish it.")
		}
		return nil
	})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, engine.ErrPreparedUnknown):
		return pgerr.New(pgerr.UndefinedObject, "prepared transaction with identifier \"%s\" does not exist", t.Name)
	case errors.Is(err, engine.ErrPreparedBusy):
		return pgerr.New(pgerr.ObjectNotInPrerequisiteState, "prepared transaction with identifier \"%s\" is busy", t.Name)
	}
	var user *pgerr.Error
	if errors.As(err, &user) {
		return user
	}
	return commitError(err)
}

// preparedMeta is what the engine keeps for us of a prepared transaction: the
// user who prepared it and the database.
func preparedMeta(user, database catalog.OID) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(user)), uint32(database))
}

func preparedOwner(meta []byte) (user, database catalog.OID) {
	if len(meta) != 8 {
		return 0, 0
	}
	return catalog.OID(binary.BigEndian.Uint32(meta)), catalog.OID(binary.BigEndian.Uint32(meta[4:]))
}

// Prepared lists the prepared transactions of all databases.
func (s *Server) Prepared() (list []syscat.Prepared) {
	for _, p := range s.opts.DB.Prepared() {
		owner, database := preparedOwner(p.Meta)
		list = append(list, syscat.Prepared{XID: p.XID, GID: p.GID, Time: p.Time - postgresEpoch, Owner: owner, Database: database})
	}
	return list
}
