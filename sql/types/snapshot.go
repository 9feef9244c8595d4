package types

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
)

// A pg_snapshot is stored as its text, xmin:xmax:xip,xip…

func snapshotCodecs() map[OID]*codec {
	c := &codec{snapshotIn, textOut, snapshotRecv, snapshotSend}
	return map[OID]*codec{PgSnapshotOID: c, TxidSnapshotOID: c}
}

// splitSnapshot reads the parts of a snapshot: xmin, xmax and the ascending ids in between.
func splitSnapshot(s string) (xmin, xmax uint64, running []uint64, ok bool) {
	part := strings.Split(s, ":")
	if len(part) != 3 {
		return 0, 0, nil, false
	}
	xmin, err1 := strconv.ParseUint(part[0], 10, 64)
	xmax, err2 := strconv.ParseUint(part[1], 10, 64)
	if err1 != nil || err2 != nil || xmin == 0 || xmax < xmin || xmax > math.MaxInt64 {
		return 0, 0, nil, false
	}
	if part[2] == "" {
		return xmin, xmax, nil, true
	}
	last := uint64(0)
	for _, word := range strings.Split(part[2], ",") {
		x, err := strconv.ParseUint(word, 10, 64)
		if err != nil || x < xmin || x >= xmax || x < last {
			return 0, 0, nil, false
		}
		if x != last {
			running = append(running, x)
		}
		last = x
	}
	return xmin, xmax, running, true
}

// SnapshotFrom returns the parts of a pg_snapshot: the oldest transaction that was running, the first
// that had not begun, and those between them that were running.
func SnapshotFrom(d Datum) (xmin, xmax uint64, running []uint64) {
	xmin, xmax, running, _ = splitSnapshot(string(d.B))
	return xmin, xmax, running
}

// MakeSnapshot returns a pg_snapshot; running is sorted.
func MakeSnapshot(xmin, xmax uint64, running []uint64) Datum {
	b := strconv.AppendUint(nil, xmin, 10)
	b = strconv.AppendUint(append(b, ':'), xmax, 10)
	b = append(b, ':')
	for i, x := range running {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, x, 10)
	}
	return column.BytesDatum(b)
}

func snapshotIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	xmin, xmax, running, ok := splitSnapshot(s)
	if !ok {
		return Datum{}, invalidSyntax("pg_snapshot", s)
	}
	return MakeSnapshot(xmin, xmax, running), nil
}

func snapshotSend(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	xmin, xmax, running, _ := splitSnapshot(string(d.B))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(running)))
	dst = binary.BigEndian.AppendUint64(dst, xmin)
	dst = binary.BigEndian.AppendUint64(dst, xmax)
	for _, x := range running {
		dst = binary.BigEndian.AppendUint64(dst, x)
	}
	return dst
}

func snapshotRecv(e *Env, t *Type, typmod int32, b []byte) (Datum, error) {
	if len(b) < 20 {
		return Datum{}, shortMessage()
	}
	if err := exact(b[20:], 8*int(binary.BigEndian.Uint32(b))); err != nil {
		return Datum{}, err
	}
	var running []uint64
	for rest := b[20:]; len(rest) > 0; rest = rest[8:] {
		running = append(running, binary.BigEndian.Uint64(rest))
	}
	d := MakeSnapshot(binary.BigEndian.Uint64(b[4:]), binary.BigEndian.Uint64(b[12:]), running)
	return snapshotIn(e, t, typmod, string(d.B))
}
