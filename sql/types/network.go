package types

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// inet and cidr are stored as family (2 or 3), prefix length, and 4 or 16 bytes; the wire
// form has two more bytes: whether it is a cidr, and the size of the address.
const (
	familyIPv4 = 2
	familyIPv6 = 3
)

func networkCodecs() map[OID]*codec {
	return map[OID]*codec{
		InetOID:     {inetIn, inetOut, inetRecv, inetSend},
		CidrOID:     {inetIn, inetOut, inetRecv, inetSend},
		MacaddrOID:  {macIn, macOut, sizedRecv(6), textSend},
		Macaddr8OID: {macIn, macOut, macaddr8Recv, textSend},
	}
}

func inetIn(_ *Env, t *Type, _ int32, s string) (Datum, error) {
	cidr := t.OID == CidrOID
	host, mask, hasMask := strings.Cut(s, "/")
	given := 0
	if cidr && !strings.Contains(host, ":") {
		given = strings.Count(host, ".") + 1
		for n := given; n < 4; n++ { // 10.1 is 10.1.0.0
			host += ".0"
		}
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return Datum{}, invalidSyntax(t.Name, s)
	}
	bits := addr.BitLen()
	switch {
	case hasMask:
		n, err := strconv.ParseUint(mask, 10, 8)
		if err != nil || int(n) > bits || mask[0] == '+' {
			return Datum{}, invalidSyntax(t.Name, s)
		}
		bits = int(n)
	case cidr && addr.Is4():
		bits = classfulBits(addr, given)
	}
	if cidr && netip.PrefixFrom(addr, bits).Masked().Addr() != addr {
		return Datum{}, pgerr.New(pgerr.InvalidTextRepresentation, "invalid cidr value: \"%s\"", s).
			WithDetail("Value has bits set to right of mask.")
	}
	family := byte(familyIPv6)
	if addr.Is4() {
		family = familyIPv4
	}
	return bytesDatum(append([]byte{family, byte(bits)}, addr.AsSlice()...)), nil
}

// classfulBits is the prefix of a cidr without one: that of its historic class, or what
// was written out if that is longer.
func classfulBits(addr netip.Addr, given int) int {
	bits := 8
	switch first := addr.As4()[0]; {
	case first >= 240:
		bits = 32
	case first >= 224:
		bits = 8
	case first >= 192:
		bits = 24
	case first >= 128:
		bits = 16
	}
	return max(bits, given*8)
}

func inetOut(_ *Env, dst []byte, t *Type, d Datum) []byte {
	addr, _ := netip.AddrFromSlice(d.B[2:])
	dst = addr.AppendTo(dst)
	if bits := int(d.B[1]); t.OID == CidrOID || bits != addr.BitLen() {
		dst = strconv.AppendInt(append(dst, '/'), int64(bits), 10)
	}
	return dst
}

func inetSend(_ *Env, dst []byte, t *Type, d Datum) []byte {
	isCidr := byte(0)
	if t.OID == CidrOID {
		isCidr = 1
	}
	dst = append(dst, d.B[0], d.B[1], isCidr, byte(len(d.B)-2))
	return append(dst, d.B[2:]...)
}

func inetRecv(_ *Env, t *Type, _ int32, b []byte) (Datum, error) {
	bad := func(what string) (Datum, error) {
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid %s in external \"%s\" value", what, t.Name)
	}
	if len(b) < 4 {
		return Datum{}, shortMessage()
	}
	size := map[byte]int{familyIPv4: 4, familyIPv6: 16}[b[0]]
	switch {
	case size == 0:
		return bad("address family")
	case int(b[1]) > 8*size:
		return bad("bits")
	case int(b[3]) != size:
		return bad("length")
	}
	if err := exact(b[4:], size); err != nil {
		return Datum{}, err
	}
	addr, _ := netip.AddrFromSlice(b[4:])
	if t.OID == CidrOID && netip.PrefixFrom(addr, int(b[1])).Masked().Addr() != addr {
		return Datum{}, pgerr.New(pgerr.InvalidBinaryRepresentation, "invalid external \"cidr\" value").
			WithDetail("Value has bits set to right of mask.")
	}
	return bytesDatum(append([]byte{b[0], b[1]}, b[4:]...)), nil
}

// inetKey orders by family, network, prefix length and address.
func inetKey(d Datum) Datum {
	addr, _ := netip.AddrFromSlice(d.B[2:])
	network := netip.PrefixFrom(addr, int(d.B[1])).Masked().Addr()
	b := append([]byte{d.B[0]}, network.AsSlice()...)
	b = append(b, d.B[1])
	return bytesDatum(append(b, d.B[2:]...))
}

var inetOrder = &order{
	compare: compareInet,
	hash:    hashBytes,
	keyKind: column.Bytes,
	key:     inetKey,
}

// compareInet compares the bits that both prefixes have, then the prefixes, then the addresses.
func compareInet(a, b Datum) int {
	if c := cmp.Compare(a.B[0], b.B[0]); c != 0 {
		return c
	}
	return compareBytes(inetKey(a), inetKey(b))
}

// macIn reads 6 or 8 bytes in hexadecimal, separated by nothing, or by one kind of
// separator between bytes, pairs of bytes or halves.
func macIn(_ *Env, t *Type, _ int32, s string) (Datum, error) {
	bad := func() (Datum, error) { return Datum{}, invalidSyntax(t.Name, s) }
	text := trimSpace(s)
	var b []byte
	group, width, sep := 0, 0, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == ':' || c == '-' || c == '.' {
			if sep != 0 && c != sep || group == 0 || width != 0 && group != width || group%2 != 0 {
				return bad()
			}
			sep, width, group = c, group, 0
			continue
		}
		if i+1 >= len(text) || hexValue(c) > 15 || hexValue(text[i+1]) > 15 {
			return bad()
		}
		b = append(b, hexValue(c)<<4|hexValue(text[i+1]))
		group += 2
		i++
	}
	if width != 0 && group != width {
		return bad()
	}
	switch {
	case t.OID == Macaddr8OID && len(b) == 6:
		b = []byte{b[0], b[1], b[2], 0xFF, 0xFE, b[3], b[4], b[5]}
	case t.OID == Macaddr8OID && len(b) != 8, t.OID == MacaddrOID && len(b) != 6:
		return bad()
	}
	return bytesDatum(b), nil
}

func macOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	for i, c := range d.B {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

func macaddr8Recv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if len(b) == 6 {
		b = []byte{b[0], b[1], b[2], 0xFF, 0xFE, b[3], b[4], b[5]}
	}
	if err := exact(b, 8); err != nil {
		return Datum{}, err
	}
	return bytesDatum(append([]byte{}, b...)), nil
}
