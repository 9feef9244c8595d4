package types

// The OIDs of collations that always exist. The default collation is C.
const (
	DefaultCollation OID = 100
	CCollation       OID = 950
	POSIXCollation   OID = 951
)

// COrdering asks for the order of bytes, whatever the default is.
const COrdering = CCollation

// collatedOrder returns the order of text under a collation.
func collatedOrder(_ *Env, _ OID, blankPadded bool) *order {
	if blankPadded {
		return bpcharOrder
	}
	return bytesOrder
}
