package functions

import (
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// parseIdent splits a qualified name into its parts: quoted ones as they are, others in lower case and cut to the length of a
// name no sooner than anyone uses them. In strict mode nothing may follow the last part.
func parseIdent(name string, strict bool) ([]string, error) {
	bad := func(detail string) error {
		err := pgerr.New(pgerr.InvalidParameterValue, "string is not a valid identifier: \"%s\"", name)
		if detail != "" {
			err = err.WithDetail("%s", detail)
		}
		return err
	}
	const space = " \t\n\r\f\v"
	var parts []string
	rest := strings.TrimLeft(name, space)
	for afterDot := false; ; afterDot = true {
		switch {
		case strings.HasPrefix(rest, `"`):
			part, after, closed := quotedIdent(rest[1:])
			if !closed {
				return nil, bad("String has unclosed double quotes.")
			}
			if part == "" {
				return nil, bad("Quoted identifier must not be empty.")
			}
			parts, rest = append(parts, part), after
		case rest != "" && identStart(rest[0]):
			n := 1
			for n < len(rest) && identPart(rest[n]) {
				n++
			}
			parts, rest = append(parts, types.LowerASCII(rest[:n])), rest[n:]
		case strings.HasPrefix(rest, "."):
			return nil, bad(`No valid identifier before ".".`)
		case afterDot:
			return nil, bad(`No valid identifier after ".".`)
		default:
			return nil, bad("")
		}
		rest = strings.TrimLeft(rest, space)
		if !strings.HasPrefix(rest, ".") {
			break
		}
		rest = strings.TrimLeft(rest[1:], space)
	}
	if rest != "" && strict {
		return nil, bad("")
	}
	return parts, nil
}

// quotedIdent reads up to the closing quote; two quotes stand for one.
func quotedIdent(s string) (part, rest string, closed bool) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return "", "", false
		}
		b.WriteString(s[:i])
		if s = s[i+1:]; !strings.HasPrefix(s, `"`) {
			return b.String(), s, true
		}
		b.WriteByte('"')
		s = s[1:]
	}
}

func identStart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func identPart(c byte) bool { return identStart(c) || c >= '0' && c <= '9' || c == '$' }

func parseIdentCall(_ *Ctx, a []column.Datum) (column.Datum, error) {
	parts, err := parseIdent(a[0].String(), a[1].I != 0)
	if err != nil {
		return column.Datum{}, err
	}
	elems := make([]column.Datum, len(parts))
	for i, p := range parts {
		elems[i] = column.BytesDatum([]byte(p))
	}
	return types.NewArray(types.TextOID, elems).Encode(column.Bytes), nil
}
