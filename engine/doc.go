// Package engine is the storage engine: sorted stores of rows with versions,
// transactions over them, and their way to disk and back. It knows keys, typed
// columns and versions, but no SQL.
//
// The types:
//
//	DB          the open database: one directory, one log
//	StoreDef    what a store is: a sorted map from key bytes to a row of datums
//	Txn         a transaction, used by one goroutine at a time
//	Snapshot    what a statement sees: a timestamp, and the transaction's own earlier writes
//	Iterator    a scan that yields column batches
//	BulkWriter  rows on their way into segments without passing the memtable
//
// Tables, indexes and catalog tables are all stores. The commit timestamp of a
// transaction is the LSN of its commit record. Uncommitted writes live in the
// transaction; at commit they become one log record, and the one apply path,
// which recovery uses as well, puts them into the memtables once the record is
// durable. Nothing is visible before it is durable, unless the transaction
// asked for an asynchronous commit.
//
// Promises: snapshots never wait for writers, nor writers for snapshots; what
// Commit acknowledged survives a crash; what it did not acknowledge is there
// as a whole or not at all; bytes that come back from disk were checked.
//
// Ownership: bytes in datums, batches and keys that a Snapshot or an Iterator
// returns stay valid until its next call. Keys and rows that are passed in are
// copied.
package engine
