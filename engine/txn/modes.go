package txn

// Kind says what a lock protects.
type Kind uint8

// The kinds of lock.
const (
	Row      Kind = 1
	Table    Kind = 2
	Advisory Kind = 3
	Ending   Kind = 4 // of a transaction: see WaitForEnd
)

// Mode is a lock mode; its meaning depends on the kind. Modes of one kind are
// numbered from the weakest to the strongest.
type Mode uint8

// The row lock modes, weakest first, as in PostgreSQL, and two of our own:
// Write marks a row that its holder has changed and not only locked, and Probe
// waits for the Write of others (an insert needs to know whether the row that
// stands in its way will go, but has no interest in rows that are only locked).
const (
	RowKeyShare    Mode = 1
	RowShare       Mode = 2
	RowNoKeyUpdate Mode = 3
	RowUpdate      Mode = 4
	RowWrite       Mode = 5
	RowProbe       Mode = 6
)

// The table lock modes, weakest first, as in PostgreSQL.
const (
	AccessShare          Mode = 1
	RowShareTable        Mode = 2
	RowExclusive         Mode = 3
	ShareUpdateExclusive Mode = 4
	ShareTable           Mode = 5
	ShareRowExclusive    Mode = 6
	Exclusive            Mode = 7
	AccessExclusive      Mode = 8
)

// The advisory lock modes.
const (
	AdvisoryShare     Mode = 1
	AdvisoryExclusive Mode = 2
)

// Ended is the mode of locks of the kind Ending.
const Ended Mode = 1

type modeSet uint16

func set(modes ...Mode) (s modeSet) {
	for _, m := range modes {
		s |= 1 << m
	}
	return s
}

func (s modeSet) has(m Mode) bool { return s&(1<<m) != 0 }

// conflicts lists for each mode of a kind the modes it cannot share a lock with.
var conflicts = [Ending + 1][]modeSet{
	Row: {
		RowKeyShare:    set(RowUpdate),
		RowShare:       set(RowNoKeyUpdate, RowUpdate),
		RowNoKeyUpdate: set(RowShare, RowNoKeyUpdate, RowUpdate),
		RowUpdate:      set(RowKeyShare, RowShare, RowNoKeyUpdate, RowUpdate),
		RowWrite:       0,
		RowProbe:       set(RowWrite),
	},
	Table: {
		AccessShare:          set(AccessExclusive),
		RowShareTable:        set(Exclusive, AccessExclusive),
		RowExclusive:         set(ShareTable, ShareRowExclusive, Exclusive, AccessExclusive),
		ShareUpdateExclusive: set(ShareUpdateExclusive, ShareTable, ShareRowExclusive, Exclusive, AccessExclusive),
		ShareTable:           set(RowExclusive, ShareUpdateExclusive, ShareRowExclusive, Exclusive, AccessExclusive),
		ShareRowExclusive:    set(RowExclusive, ShareUpdateExclusive, ShareTable, ShareRowExclusive, Exclusive, AccessExclusive),
		Exclusive:            set(RowShareTable, RowExclusive, ShareUpdateExclusive, ShareTable, ShareRowExclusive, Exclusive, AccessExclusive),
		AccessExclusive:      set(AccessShare, RowShareTable, RowExclusive, ShareUpdateExclusive, ShareTable, ShareRowExclusive, Exclusive, AccessExclusive),
	},
	Advisory: {
		AdvisoryShare:     set(AdvisoryExclusive),
		AdvisoryExclusive: set(AdvisoryShare, AdvisoryExclusive),
	},
	Ending: {Ended: set(Ended)},
}

var modeNames = map[Kind][]string{
	Row: {"", "KeyShareLock", "ShareLock", "NoKeyUpdateLock", "UpdateLock", "Write", "Probe"},
	Table: {"", "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock",
		"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
	Advisory: {"", "ShareLock", "ExclusiveLock"},
	Ending:   {"", "ShareLock"},
}

// ModeName returns a mode's name as pg_locks shows it.
func ModeName(k Kind, m Mode) string { return modeNames[k][m] }
