// Package wal is the write-ahead log: the one place where a commit becomes
// durable. It numbers records densely, shares one sync among all that commit
// meanwhile, hands committed records to Options.Apply in order, and after a
// crash returns every acknowledged record or says where the damage is.
//
// # Promises
//
//   - A synchronous Propose returns without error only when the record is
//     durable and applied. An asynchronous one returns when it is applied; it
//     becomes durable within about Options.SyncDelay. Until then the end of the
//     process may lose it as well.
//   - An error from Propose means that the record was not applied and will not
//     be replayed, except *InDoubtError and ErrPoisoned, after which only
//     recovery knows. No space (an error wrapping syscall.ENOSPC) leaves the
//     log usable: the next Propose tries again.
//   - A failed sync is never retried. The log is poisoned, everything pending
//     and later fails, and Options.Fatal is called.
//   - Recovery cuts a torn tail, which nobody was told about, and reports
//     damage below the durable mark as a *CorruptionError.
//
// What tells a torn tail from damage is the durable mark. It stands in the log,
// where it vouches for the records before it, and a second time in a file of its
// own, written behind every sync before anybody is told: so a log whose end is
// damaged, cut off or removed after its process was killed is found out. What
// remains: a power failure may take the newest mark along, because it is not
// synced. Damage to a last batch that no older mark knows, and that also happens
// to leave nothing behind it, looks like a torn tail then. (Close syncs the mark,
// and Options.MinDurable lets the engine vouch for more.)
//
// # Files
//
// A log is a directory of files NNNNNNNNNN.wal, N being the generation, the
// durable.mark (see mark.go), and spare files NNNNNNNNNN.spare, which hold nothing. Files are preallocated and
// recycled: behind the records stand zeros or the bytes of an earlier life.
// All integers are little-endian, all checksums CRC-32C.
//
//	file:    0 +-------------------------------+
//	           | file header (64+4 bytes)      |
//	       512 +-------------------------------+
//	           | record | record | ... | mark  |
//	           +-------------------------------+
//	           | zeros or stale bytes          |
//	           +-------------------------------+
//
//	header:  0  magic "OMENWAL\x00"      8   32  term                   8
//	         8  format version           2   40  durable-up-to LSN      8
//	        10  zero                     2   48  salt                   8
//	        12  generation               4   56  wall time, µs          8
//	        16  previous generation      4   64  CRC of bytes 0..63     4
//	        20  zero                     4
//	        24  first LSN                8
//
//	record:  0  CRC of bytes 4..end      4   24  LSN                    8
//	         4  body length              4   32  durable-up-to LSN      8
//	         8  generation               4   40  wall time, µs          8
//	        12  kind                     1   48  body
//	        13  format version           1       zeros up to a multiple of 8
//	        14  header check             2
//	        16  term                     8
//
// A record's CRC starts from the CRC of the file's salt and generation, so
// that bytes of another file, of an earlier life of this one, or of a record
// that a user stored as a value, never pass for a record here. The header
// check is the low half of the same kind of CRC over bytes 4..13 and
// 16..47; it makes the search behind the end cheap.
//
// # Reading the end
//
// Let d be the LSN that should come next and p the place where no valid record
// d stands. If the next file in the chain starts with d, the log goes on
// there. Otherwise every durable-up-to mark that can be found is evidence: in
// records before p, in valid records behind p, in later files' headers, in the
// mark beside the log, in Options.MinDurable. If any says that d was durable, the place is damaged:
// *CorruptionError. If none does, p is the end: an unsynced write may persist
// its ninth sector and not its third, so records behind p were never
// acknowledged. They are overwritten by zeros before anything is appended.
//
// A file's header is synced before its name appears, and the previous file is
// synced before that. So files before the last cannot be torn, and a header
// that cannot be read is always damage. A header whose first LSN lies below
// records of earlier files voids those (TruncateSuffix).
package wal
