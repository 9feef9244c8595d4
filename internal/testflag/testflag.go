// Package testflag registers the flags of our test runs.
//
// `go test ./... -run SQLLogic -sqllogic.dir D` hands its flags to the test binary of every package, and a binary
// that does not know a flag fails. So every package with tests imports this package for its effect, in a file
// flags_test.go; the style test sees to it. Nothing but tests may import it: it writes to flag.CommandLine.
package testflag

import (
	"flag"
	"time"
)

// Flags of the SQL script runner (package internal/sqllogic).
var (
	// SQLLogicDir is a folder of scripts to run instead of the sample; a relative path counts from the module's root.
	SQLLogicDir = flag.String("sqllogic.dir", "", "run the SQL scripts below this `folder` (relative to the module's root)")
	// SQLLogicDSN names a PostgreSQL server to run the scripts on, instead of an OmenDB in memory.
	SQLLogicDSN = flag.String("sqllogic.dsn", "", "run SQL scripts on the PostgreSQL server at this `DSN`, in databases of their own")
	// SQLLogicLimit bounds the queries taken from each script, spread evenly over it; statements always run.
	SQLLogicLimit = flag.Int("sqllogic.limit", 0, "take at most `n` queries from each script (0: all)")
	// SQLLogicSeconds bounds the whole run.
	SQLLogicSeconds = flag.Int("sqllogic.seconds", 0, "start no record after `n` seconds (0: no bound)")
	// SQLLogicFloor is the share of records that has to pass.
	SQLLogicFloor = flag.Float64("sqllogic.floor", 100, "fail below this `percentage` of the records that PostgreSQL passes")
	// SQLLogicRewrite writes results into the scripts; only PostgreSQL's answers are expectations.
	SQLLogicRewrite = flag.Bool("sqllogic.rewrite", false, "write the results into our own scripts (needs -sqllogic.dsn)")
)

// CancelWithin is how long a cancelled statement may go on (TestCancel of the root package): 100 ms on an idle machine, more where
// other tests share it.
var CancelWithin = flag.Duration("cancel.within", 2*time.Second, "fail when a cancelled statement goes on for longer than `d`")

// CancelAfter is how long a statement of TestCancel has run when it is cancelled: at other moments it is elsewhere.
var CancelAfter = flag.Duration("cancel.after", 50*time.Millisecond, "cancel statements when they have run for `d`")

// CancelAll cancels every statement of TestCancel, not only one of each kind.
var CancelAll = flag.Bool("cancel.all", false, "cancel every statement that lasts")

// MemoryAll runs every statement of TestTenTimesTheMemory (package sql), not only one of each kind.
var MemoryAll = flag.Bool("memory.all", false, "run every statement that needs ten times its memory")

// Flags of the test that kills the server (package internal/killtest).
var (
	// KillCycles is how often the server is killed.
	KillCycles = flag.Int("kill.cycles", 5, "kill and restart the server `n` times")
	// LargeRows is how many rows the test of a large transaction changes.
	LargeRows = flag.Int("large.rows", 0, "change `n` rows in one transaction of a server process and tell its memory (0: do not)")
	// KillSeed makes the moments of the kills and the choice of work repeatable.
	KillSeed = flag.Int64("kill.seed", 0, "random `seed` of the kill test (0: from the clock, printed)")
)

// Flags of the runner of concurrent scenarios (package internal/isolation).
var (
	// IsolationDSN names a PostgreSQL server to run the scenarios on, instead of OmenDBs in memory.
	IsolationDSN = flag.String("isolation.dsn", "", "run the scenarios on the PostgreSQL server at this `DSN`, in databases of their own")
	// IsolationRandom and IsolationSeed choose random scenarios.
	IsolationRandom = flag.Int("isolation.random", 40, "how many random scenarios of waiting statements to run")
	IsolationSeed   = flag.Uint64("isolation.seed", 1, "the seed of the first random scenarios")
	// IsolationRewrite writes results beside the scenarios; only PostgreSQL's are expectations.
	IsolationRewrite = flag.Bool("isolation.rewrite", false, "write the results beside the scenarios (needs -isolation.dsn)")
)

// Flags of the simulation of sessions (package internal/sqlsim).
var (
	// SQLSimSeed is the first seed; a failure prints the one to replay.
	SQLSimSeed = flag.Uint64("sqlsim.seed", 1, "first `seed` of the simulation of sessions")
	// SQLSimCrashes is how many crashes are simulated, at least.
	SQLSimCrashes = flag.Int64("sqlsim.crashes", 60, "simulate at least `n` crashes under SQL")
)

// Flags of the simulation (package internal/simulation).
var (
	// SimSeed is the first seed; a failure prints the one to replay.
	SimSeed = flag.Uint64("sim.seed", 1, "first `seed` of the simulation")
	// SimCrashes is how many crashes are simulated, at least.
	SimCrashes = flag.Int64("sim.crashes", 2000, "simulate at least `n` crashes")
	// SimSteps is the length of the programs.
	SimSteps = flag.Int("sim.steps", 0, "run programs of `n` steps (0: of several lengths)")
)

// IndexStates is for how long the test of kept plans beside changing indexes runs (the module's root).
var IndexStates = flag.Duration("index.states", 1500*time.Millisecond, "run kept plans for this `long` while their index goes through all its states")

// Flags of the random histories (package internal/history).
var (
	// HistoryDSN names a server to play on, instead of an OmenDB in the process.
	HistoryDSN = flag.String("history.dsn", "", "play random histories on the server at this `DSN`; its tables of the same names are dropped")
	// HistoryTransactions is the length of a history.
	HistoryTransactions = flag.Int("history.transactions", 17000, "play `n` transactions at each level")
	// HistoryKills is how often a server process is killed meanwhile.
	HistoryKills = flag.Int("history.kills", 0, "play on a server process and kill it `n` times")
	// HistoryFailures runs the comparison of serialization failures.
	HistoryFailures = flag.Duration("history.failures", 0, "measure serialization failures for this `long`")
	// HistorySeed makes the choice of work repeatable.
	HistorySeed = flag.Int64("history.seed", 0, "random `seed` of the histories (0: from the clock, printed)")
)
