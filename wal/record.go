package wal

import (
	"encoding/binary"
	"hash/crc32"
)

// FormatVersion is the version of file headers and records that is written.
const FormatVersion = 1

// MaxBodyBytes bounds one record, because the writer and every reader hold a
// whole record in memory. Larger transactions commit segments and log only
// their names.
const MaxBodyBytes = 256 << 20

const (
	recordHeaderBytes = 48
	recordAlign       = 8
)

// LSN numbers records densely from 1. The commit timestamp of a transaction is
// the LSN of its commit record. 0 is before the first.
type LSN uint64

// Kind says what a record's body is. The log itself does not look.
type Kind uint8

// The kinds of record.
const (
	KindCommit         Kind = 1 // a transaction's evaluated writes
	KindPrepare        Kind = 2
	KindCommitPrepared Kind = 3
	KindAbortPrepared  Kind = 4
	KindSequence       Kind = 5
	KindSegmentLink    Kind = 6
	KindSchema         Kind = 7
	KindCheckpoint     Kind = 8

	kindMark Kind = 255 // carries only its durable-up-to LSN; has no LSN of its own
)

// Record is one entry of the log.
type Record struct {
	Term        uint64
	LSN         LSN
	Generation  uint32 // of the file that holds it
	DurableUpTo LSN    // durable when this record was written
	Time        int64  // wall time in µs, never going back
	Kind        Kind
	Body        []byte
	Decoded     any // in memory only: the proposer's form of Body, nil in replay
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frameBytes returns what a record with a body of n bytes takes in the file.
func frameBytes(n int) int64 {
	return (recordHeaderBytes + int64(n) + recordAlign - 1) &^ (recordAlign - 1)
}

// RecordBytes returns what a record with a body of n bytes takes in the log.
func RecordBytes(n int) int64 { return frameBytes(n) }

// crcSeed is the value that the checksums of a file's records start from.
func crcSeed(salt uint64, generation uint32) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], salt)
	binary.LittleEndian.PutUint32(b[8:], generation)
	return crc32.Checksum(b[:], castagnoli)
}

// appendRecord appends the record's bytes to buf.
func appendRecord(buf []byte, r *Record, seed uint32) []byte {
	at := len(buf)
	var h [recordHeaderBytes]byte
	le := binary.LittleEndian
	le.PutUint32(h[4:], uint32(len(r.Body)))
	le.PutUint32(h[8:], r.Generation)
	h[12] = byte(r.Kind)
	h[13] = FormatVersion
	le.PutUint64(h[16:], r.Term)
	le.PutUint64(h[24:], uint64(r.LSN))
	le.PutUint64(h[32:], uint64(r.DurableUpTo))
	le.PutUint64(h[40:], uint64(r.Time))
	buf = append(buf, h[:]...)
	le.PutUint16(buf[at+14:], headerCheck(buf[at:], seed))
	buf = append(buf, r.Body...)
	var pad [recordAlign]byte
	buf = append(buf, pad[:frameBytes(len(r.Body))-int64(len(buf)-at)]...)
	le.PutUint32(buf[at:], crc32.Update(seed, castagnoli, buf[at+4:]))
	return buf
}

// headerCheck is a short checksum of a record's header alone, but for the
// fields that hold checksums. Looking for
// records behind the end tries every offset; without it, a value full of forged
// headers of long records would have each of them read through.
func headerCheck(b []byte, seed uint32) uint16 {
	crc := crc32.Update(seed, castagnoli, b[4:14])
	return uint16(crc32.Update(crc, castagnoli, b[16:recordHeaderBytes]))
}

// frameHeader is what can be told from a record's first bytes alone.
type frameHeader struct {
	bodyLen int
	gen     uint32
	version uint8
	lsn     LSN
	durable LSN
}

func parseFrameHeader(b []byte) frameHeader {
	le := binary.LittleEndian
	return frameHeader{
		bodyLen: int(le.Uint32(b[4:])),
		gen:     le.Uint32(b[8:]),
		version: b[13],
		lsn:     LSN(le.Uint64(b[24:])),
		durable: LSN(le.Uint64(b[32:])),
	}
}

// plausible is the cheap test before the checksum.
func (h frameHeader) plausible(gen uint32) bool {
	return h.gen == gen && h.version != 0 && h.bodyLen <= MaxBodyBytes && h.durable <= h.lsn
}

// decodeRecord reads the record at the start of b, which holds it whole. The
// body is a part of b. It reports whether the checksum holds.
func decodeRecord(b []byte, seed uint32, r *Record) bool {
	le := binary.LittleEndian
	n := int(le.Uint32(b[4:]))
	if crc32.Update(seed, castagnoli, b[4:frameBytes(n)]) != le.Uint32(b) {
		return false
	}
	*r = Record{
		Term:        le.Uint64(b[16:]),
		LSN:         LSN(le.Uint64(b[24:])),
		Generation:  le.Uint32(b[8:]),
		DurableUpTo: LSN(le.Uint64(b[32:])),
		Time:        int64(le.Uint64(b[40:])),
		Kind:        Kind(b[12]),
		Body:        b[recordHeaderBytes : recordHeaderBytes+n : recordHeaderBytes+n],
	}
	return true
}
