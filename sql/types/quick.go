package types

// QuickIn reads the commonest written forms of types whose input functions have
// much to consider: what bulk loads consist of. ok is false for every other
// form and for what is wrong; then In decides. Where ok is true, In returns the same.
func QuickIn[T string | []byte](oid OID, s T) (d Datum, ok bool) {
	switch oid {
	case Float8OID:
		v, ok := quickFloat(s)
		return floatDatum(v), ok
	case DateOID:
		d.I, ok = fastISODate(s)
	case TimestampOID:
		d.I, ok = fastISOTimestamp(s)
	case TimestamptzOID:
		d.I, ok = fastISOTimestamptz(s)
	}
	return d, ok
}

// exactTens are the powers of ten that a float64 holds exactly.
var exactTens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// quickFloat reads up to 15 digits with a decimal point among them: a number and
// a power of ten that are both exact, so that one division rounds correctly.
func quickFloat[T string | []byte](s T) (float64, bool) {
	i, neg := 0, false
	if len(s) > 0 && s[0] == '-' {
		i, neg = 1, true
	}
	if len(s)-i == 0 || len(s)-i > 16 {
		return 0, false
	}
	var m int64
	digits, point := 0, -1
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c):
			m = 10*m + int64(c-'0')
			digits++
		case c == '.' && point < 0:
			point = digits
		default:
			return 0, false
		}
	}
	if digits == 0 || digits > 15 {
		return 0, false
	}
	v := float64(m)
	if point >= 0 {
		v /= exactTens[digits-point]
	}
	if neg {
		v = -v
	}
	return v, true
}

// fastISOTimestamptz reads yyyy-mm-dd hh:mm:ss with up to six fractional digits
// and an offset from UTC of whole hours, or of hours and minutes.
func fastISOTimestamptz[T string | []byte](s T) (int64, bool) {
	n := len(s)
	sign, minutes := n-3, 0
	if n > 22 && s[n-3] == ':' {
		if !isDigit(s[n-2]) || !isDigit(s[n-1]) {
			return 0, false
		}
		minutes = int(s[n-2]-'0')*10 + int(s[n-1]-'0')
		sign, n = n-6, n-3
	}
	if sign < 19 || s[sign] != '+' && s[sign] != '-' || !isDigit(s[n-2]) || !isDigit(s[n-1]) {
		return 0, false
	}
	hours := int(s[n-2]-'0')*10 + int(s[n-1]-'0')
	if hours > 14 || minutes > 59 {
		return 0, false
	}
	local, ok := fastISOTimestamp(s[:sign])
	east := int64(hours*3600+minutes*60) * usecPerSec
	if s[sign] == '-' {
		east = -east
	}
	return local - east, ok
}
