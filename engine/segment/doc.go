// Package segment is the immutable sorted run: rows ordered by key (bytes,
// ascending) and commit timestamp (descending), stored column by column in
// blocks, found through fences and a learned model, checked on every read
// from the disk.
//
// The types:
//
//	Writer           Add rows in order, Finish; one pass, bounded memory
//	Reader           Get, GetBatch, Iter, Versions, Rank, EstimateRange, Verify
//	Iterator         batches of the newest visible version of each key
//	VersionIterator  every version, one at a time, for merging
//	Info             what a segment holds and how it is indexed
//	CorruptionError  damaged bytes: file, offset, what is wrong
//
// It promises: a look-up reads at most one data block that is not in the
// cache (more only when the versions of one key fill more than one); no
// damaged byte is ever returned as a value; the learned model changes the
// cost of an answer and never the answer. It does not know SQL types, which
// segments are live, or what other runs hold: a tombstone is yielded, flagged.
//
// # Format
//
// Numbers are little-endian; u8 to u64 are unsigned, uvarint is
// encoding/binary's, string is a uvarint length and bytes. A crc is CRC-32C
// (Castagnoli) of the bytes before it in the same stretch.
//
//	file
//	+--------+-----------------------------------------+--------+---------+
//	| header | blocks: data, value and index, each     | footer | trailer |
//	| 16     | payload, crc u32, zeros to 8 bytes      |        | 40      |
//	+--------+-----------------------------------------+--------+---------+
//
//	header:  magic "OMENSEG\n", format version u32, 0 u32
//
//	data block
//	+------+----------+--------------------+------+----------+------------+
//	| rows | sections | (sections+1) × u32 | keys | versions | tombstones |
//	| u32  | u32      | section starts     |      |          | bitmap     |
//	+------+----------+--------------------+------+----------+------------+
//	| repeats | successors | column 0 | column 1 | …                      |
//	| bitmap  |            |          |          |                        |
//	+---------+------------+----------+----------+------------------------+
//	starts count from the start of the block; the last one is its end
//	keys        form u8, width u8, length u16, prefix length u32, prefix; then
//	            1 fixed:    base u64, rows × (suffix - base) packed at width,
//	                        the suffix of length bytes read as a big-endian number
//	            2 variable: rows × end packed at width, suffixes
//	versions    commit timestamps, an encoded Int column
//	tombstones  a bit per row; empty when no row is one
//	repeats     a bit per row whose key is that of the row before; or empty
//	successors  an encoded Bytes column; empty when no row has one
//	columns     encoded as package column says; marked cells are wide: they
//	            hold offset u64, stored length u32, length u32, codec u8
//	            (0 plain, 1 s2) of a value block
//
//	value block: the value, possibly compressed
//
//	index block: zone maps of up to 32 extents of 8 data blocks; for each
//	extent and column: rows u64, nulls u64, min u64, max u64 (see Zone)
//
//	footer
//	columns uvarint, kind u8 each
//	store, nonce, rows, keys, tombstones, min ts, max ts, blocks: uvarints
//	min key, max key: strings
//	per column: zone (32 bytes), bytes uvarint, distinct sketch, and from format
//	            version 2 on the most common values: counted, omitted, unlisted,
//	            number of values uvarints; for each value u64 (Bytes: string),
//	            rows, least, missed uvarints (see Frequent)
//	fence prefix string; per block: chunk u64, offset/8 u32, length u32, rows before u32
//	fence ends: uvarint count (0: the chunks say all), u32 each; fences string
//	continued: uvarint count, u64 each: a bit per block whose first key is the
//	           last key of the block before
//	per 256 data blocks: index block offset u64, length u32 (none without columns)
//	model: string, see package learned; empty: binary search
//
//	trailer
//	+---------------+---------------+------------+-----------------+
//	| footer at u64 | its length u32| its crc u32| file length u64 |
//	+---------------+---------------+------------+-----------------+
//	| format version u32 | crc u32 of the 28 bytes before | magic "\nGESNEMO" |
//	+--------------------+--------------------------------+-------------------+
//
// The name of the file is the first 20 bytes of the SHA-256 of its content in
// hexadecimal, and ".seg".
package segment
