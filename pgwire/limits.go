package pgwire

import "time"

// The limits on what clients can send and hold. Those of messages are
// PostgreSQL's own, so that whatever it accepts is accepted here.
const (
	maxStartupPacket = 10_000 // user, database and options: generous, and small enough for strangers
	maxAuthMessage   = 1024   // SASL messages; ours are below 300 bytes
	maxSmallMessage  = 10_000 // messages that hold a name: Describe, Execute, Close
	// DefaultMaxMessage bounds Query, Parse and Bind: PostgreSQL's largest value.
	// COPY data are streamed and not bounded by it.
	DefaultMaxMessage = 1<<30 - 1
	maxTokens         = 3 // SSLRequest, GSSENCRequest and the start-up packet: each once

	// DefaultAuthTimeout is PostgreSQL's authentication_timeout.
	DefaultAuthTimeout = 60 * time.Second
	// DefaultMaxConnections is PostgreSQL's max_connections.
	DefaultMaxConnections = 100
	// loginSlots are connections beyond the limit that may be in the middle of a
	// login, so that one more client gets a proper refusal.
	loginSlots = 64
)

// The sizes of buffers. An idle connection keeps the small ones.
const (
	smallBuffer = 1 << 10  // reading, at first and when idle; enough for a prepared SELECT
	fullBuffer  = 16 << 10 // reading, for pipelines and COPY
	flushSize   = 16 << 10 // replies leave when there are so many bytes
	keepBuffer  = 64 << 10 // buffers beyond this size are not kept for the next message

	// sweepInterval is how often connections are looked at. A statement that runs
	// through two looks is asked whether its client is still there: the locks of a
	// client that was killed have to be free within 200 ms.
	sweepInterval = 25 * time.Millisecond
	// shrinkLooks is through how many looks a connection is idle before its buffers go back.
	shrinkLooks = 20
	// flushDelay bounds how long replies wait for more of a pipeline to be answered.
	flushDelay = 5 * time.Millisecond
	// fatalWriteTimeout bounds the goodbye to a client that does not read.
	fatalWriteTimeout = 5 * time.Second
)

// The protocol versions.
const (
	protocolMajor     = 3
	newestMinor       = 2
	codeCancel        = 80877102
	codeSSL           = 80877103
	codeGSSEnc        = 80877104
	longKeyMinor      = 2 // from 3.2 on, cancel keys may be long
	optionPrefix      = "_pq_."
	tlsHandshakeByte  = 0x16
	minCancelPacket   = 8 + 4 // code, process id, a key of at least 4 bytes
	maxCancelKey      = 256
	maxIdentifier     = 63 // user and database names are cut to it, as identifiers are
	maxDistinctParams = 100
)
