package functions

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"encoding/binary"
	"sync"

	"github.com/omendb/omendb/engine/column"
)

// uuidExtension is uuid-ossp: UUIDs of RFC 4122's versions 1, 3, 4 and 5.
var uuidExtension = &Extension{Name: "uuid-ossp", Version: "1.1", Comment: "generate universally unique identifiers (UUIDs)",
	Functions: []ExtensionFunc{
		{Name: "uuid_nil", Symbol: "uuid_nil", Ret: typeUUID, Volatile: 'i', Eval: fixedUUID("00000000000000000000000000000000")},
		{Name: "uuid_ns_dns", Symbol: "uuid_ns_dns", Ret: typeUUID, Volatile: 'i', Eval: fixedUUID("6ba7b8109dad11d180b400c04fd430c8")},
		{Name: "uuid_ns_url", Symbol: "uuid_ns_url", Ret: typeUUID, Volatile: 'i', Eval: fixedUUID("6ba7b8119dad11d180b400c04fd430c8")},
		{Name: "uuid_ns_oid", Symbol: "uuid_ns_oid", Ret: typeUUID, Volatile: 'i', Eval: fixedUUID("6ba7b8129dad11d180b400c04fd430c8")},
		{Name: "uuid_ns_x500", Symbol: "uuid_ns_x500", Ret: typeUUID, Volatile: 'i', Eval: fixedUUID("6ba7b8149dad11d180b400c04fd430c8")},
		{Name: "uuid_generate_v1", Symbol: "uuid_generate_v1", Ret: typeUUID, Volatile: 'v', Eval: timeUUID},
		{Name: "uuid_generate_v1mc", Symbol: "uuid_generate_v1mc", Ret: typeUUID, Volatile: 'v', Eval: timeUUID},
		{Name: "uuid_generate_v3", Symbol: "uuid_generate_v3", Args: []OID{typeUUID, typeText}, ArgNames: []string{"namespace", "name"},
			Ret: typeUUID, Volatile: 'i', Eval: namedUUID(3, func(b []byte) []byte { s := md5.Sum(b); return s[:] })},
		{Name: "uuid_generate_v4", Symbol: "uuid_generate_v4", Ret: typeUUID, Volatile: 'v', Eval: sizeEvals["gen_random_uuid"]},
		{Name: "uuid_generate_v5", Symbol: "uuid_generate_v5", Args: []OID{typeUUID, typeText}, ArgNames: []string{"namespace", "name"},
			Ret: typeUUID, Volatile: 'i', Eval: namedUUID(5, func(b []byte) []byte { s := sha1.Sum(b); return s[:] })},
	}}

func fixedUUID(hexDigits string) EvalFunc {
	b := make([]byte, 16)
	for i := range b {
		b[i] = unhex(hexDigits[2*i])<<4 | unhex(hexDigits[2*i+1])
	}
	return func(*Ctx, []column.Datum) (column.Datum, error) { return bytesResult(append([]byte(nil), b...)) }
}

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// namedUUID hashes a name in a name space.
func namedUUID(version byte, hash func([]byte) []byte) EvalFunc {
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		b := hash(append(append([]byte(nil), a[0].B...), a[1].B...))[:16]
		b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
		return bytesResult(b)
	}
}

// timeUUIDs hands out the times of version 1, each only once. The node is random, with
// the multicast bit set: the network card's address is nobody's business.
var timeUUIDs struct {
	sync.Mutex
	last uint64
	node []byte
}

// epochUUID is the beginning of 2000 in units of 100 ns since the Gregorian calendar's.
const epochUUID = 0x01bf1de2ab8d4000

func timeUUID(c *Ctx, _ []column.Datum) (column.Datum, error) {
	t := &timeUUIDs
	t.Lock()
	defer t.Unlock()
	if t.node == nil {
		t.node = make([]byte, 8)
		rand.Read(t.node)
		t.node[2] |= 1
	}
	t.last = max(t.last+1, epochUUID+uint64(c.Env.ClockNow())*10)
	b := make([]byte, 16)
	binary.BigEndian.PutUint32(b, uint32(t.last))
	binary.BigEndian.PutUint16(b[4:], uint16(t.last>>32))
	binary.BigEndian.PutUint16(b[6:], uint16(t.last>>48)&0x0fff|0x1000)
	copy(b[8:], t.node)
	b[8] = b[8]&0x3f | 0x80
	return bytesResult(b)
}
