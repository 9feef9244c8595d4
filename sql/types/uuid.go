package types

func uuidCodecs() map[OID]*codec {
	return map[OID]*codec{UUIDOID: {uuidIn, uuidOut, uuidRecv, textSend}}
}

// uuidIn reads 32 hexadecimal digits, with hyphens after any group of four and braces
// around all if the user likes.
func uuidIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	t, braces := s, false
	if t != "" && t[0] == '{' {
		t, braces = t[1:], true
	}
	b := make([]byte, 0, 16)
	for i := range 16 {
		if len(t) < 2 || hexValue(t[0]) > 15 || hexValue(t[1]) > 15 {
			return Datum{}, invalidSyntax("uuid", s)
		}
		b = append(b, hexValue(t[0])<<4|hexValue(t[1]))
		t = t[2:]
		if i%2 == 1 && i < 15 && t != "" && t[0] == '-' {
			t = t[1:]
		}
	}
	if braces && t != "}" || !braces && t != "" {
		return Datum{}, invalidSyntax("uuid", s)
	}
	return bytesDatum(b), nil
}

func uuidOut(_ *Env, dst []byte, _ *Type, d Datum) []byte {
	for i, c := range d.B {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

func uuidRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	if err := exact(b, 16); err != nil {
		return Datum{}, err
	}
	return bytesDatum(append([]byte{}, b...)), nil
}
