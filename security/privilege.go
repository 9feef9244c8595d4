package security

// Role is who asks: the role and those whose privileges it has by membership.
type Role struct {
	OID       uint32
	Superuser bool
	// MemberOf reports whether the role has the privileges of another one; nil when of none.
	MemberOf func(role uint32) bool
}

// Grant is one entry of an access list. Grantee 0 is everybody (PUBLIC).
type Grant struct {
	Grantee    uint32
	Privileges uint32 // bits, in the caller's numbering
}

// Request is one question: may a role use an object in these ways?
type Request struct {
	Role   Role
	Grants []Grant
	Want   uint32 // bits
}

// Allowed is the privilege check point: a superuser may everything, others what was granted
// to them, to roles that they are members of, or to everybody. Owners have what their
// entry in the list says: they can take it from themselves.
func Allowed(r Request) bool { return Missing(r) == 0 }

// Missing returns the wanted privileges that the role does not have.
func Missing(r Request) uint32 {
	if r.Role.Superuser {
		return 0
	}
	missing := r.Want
	for _, g := range r.Grants {
		if missing&g.Privileges != 0 && (g.Grantee == 0 || r.Role.has(g.Grantee)) {
			missing &^= g.Privileges
		}
	}
	return missing
}

func (r Role) has(other uint32) bool {
	return r.OID == other || r.MemberOf != nil && r.MemberOf(other)
}
