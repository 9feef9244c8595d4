package sql

import "sync/atomic"

// keptOutcomes is how many transactions pg_xact_status can tell about: of older ones it does not know.
const keptOutcomes = 1 << 14

// firstNormalXID is the first number that a transaction gets in PostgreSQL; those below stand for committed ones.
const firstNormalXID = 3

// outcomes remembers how the last transactions with a number ended. A slot holds the number and, in its lowest bit,
// whether it was committed.
type outcomes [keptOutcomes]atomic.Uint64

func (o *outcomes) note(xid uint64, committed bool) {
	if xid == 0 {
		return
	}
	v := xid << 1
	if committed {
		v |= 1
	}
	o[xid%keptOutcomes].Store(v)
}

// status returns "committed" or "aborted", or "" for a transaction that is too old to tell.
func (o *outcomes) status(xid uint64) string {
	if xid > 0 && xid < firstNormalXID {
		return "committed"
	}
	switch v := o[xid%keptOutcomes].Load(); {
	case v>>1 != xid || xid == 0:
		return ""
	case v&1 != 0:
		return "committed"
	}
	return "aborted"
}
