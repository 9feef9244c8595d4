package security

import (
	"crypto/rand"
	"testing"
)

// Verifiers that PostgreSQL 15 made, with passwords that SASLprep changes.
func TestVerifierOfPostgreSQL(t *testing.T) {
	for password, text := range map[string]string{
		"pencil":   "SCRAM-SHA-256$4096:09eYEMFzz579F88dl+tTMQ==$nF7kBCm9n9BHJ1o8WBalqiSFbFIjlMzB7hO0VIwmsZs=:gMA3RAW+0KyDEPVrRHcp/ZyoUKGIZRzBOmQ9o0l0AQM=",
		"I\u00adX": "SCRAM-SHA-256$4096:SW9mTp+1llCJUuXoyxkT2g==$1wddHLXN/nHtEk6XMrxJFKjQf/nCMlHhyuAEmz74Ks8=:Lnm1CyMja9+LXxi9rZjpOB34HROiAJyVSTq4cK+po/E=",
		"\u2168":   "SCRAM-SHA-256$4096:EuM0hrZ88SPlS/k8gG0HWA==$fNC4MUwG+igslZ38vK1Es+ilUHvR/Rnz8v4EI57m5ok=:2IHUfyK6nVc7CkLOGjgYfVEHPpRS8m5WSy90OcEzJPo=",
	} {
		v, err := ParseVerifier(text)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Matches(password) || v.Matches(password+"x") {
			t.Errorf("%q does not match its verifier alone", password)
		}
		if v.String() != text || !IsVerifier(text) {
			t.Errorf("%s became %s", text, v)
		}
	}
}

func TestPrepare(t *testing.T) {
	for in, want := range map[string]string{
		"I\u00adX": "IX", "user": "user", "USER": "USER", "\u00aa": "a", "\u2168": "IX", "a\u00a0b": "a b",
		"\u0007": "\u0007", "\u0627\u0031": "\u0627\u0031", "\xff": "\xff", "": "", "\u00ad": "\u00ad",
	} {
		if got := Prepare(in); got != want {
			t.Errorf("Prepare(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseVerifierRefuses(t *testing.T) {
	key := "nF7kBCm9n9BHJ1o8WBalqiSFbFIjlMzB7hO0VIwmsZs="
	for _, s := range []string{
		"", "secret", "md5d577273ff885c3f84dadb8578bb41399", "SCRAM-SHA-256", "SCRAM-SHA-256$4096:AAAA$" + key,
		"SCRAM-SHA-256$4096$" + key + ":" + key, "SCRAM-SHA-256$x:AAAA$" + key + ":" + key, "SCRAM-SHA-256$0:AAAA$" + key + ":" + key,
		"SCRAM-SHA-256$10000001:AAAA$" + key + ":" + key, "SCRAM-SHA-256$4096:$" + key + ":" + key, "SCRAM-SHA-256$4096:%$" + key + ":" + key,
		"SCRAM-SHA-256$4096:AAAA$AAAA:" + key, "SCRAM-SHA-256$4096:AAAA$" + key + ":AAAA", "SCRAM-SHA-1$4096:AAAA$" + key + ":" + key,
		"SCRAM-SHA-256$4096:AAAA$" + key + ":" + key + "$x",
	} {
		if IsVerifier(s) {
			t.Errorf("%q passes for a verifier", s)
		}
	}
	if !IsVerifier("SCRAM-SHA-256$10000000:AAAA$" + key + ":" + key) {
		t.Error("the largest iteration count is refused")
	}
}

func TestSecrets(t *testing.T) {
	a, err := NewPassword(rand.Reader)
	b, err2 := NewPassword(rand.Reader)
	if err != nil || err2 != nil || a == b || len(a) != 24 {
		t.Fatal(a, b, err, err2)
	}
	k, err := NewCancelKey(rand.Reader, LongCancelKeyBytes)
	if err != nil || len(k) != LongCancelKeyBytes || !SecretEqual(k, k) || SecretEqual(k, k[1:]) {
		t.Fatal(k, err)
	}
}

func TestAllowed(t *testing.T) {
	const read, write = 1, 2
	object := Request{Grants: []Grant{{Grantee: 10, Privileges: read | write | 4}, {Grantee: 0, Privileges: read}, {Grantee: 30, Privileges: write}}}
	writers := func(role uint32) bool { return role == 30 }
	owners := func(role uint32) bool { return role == 10 }
	for _, c := range []struct {
		name string
		role Role
		want uint32
		ok   bool
	}{
		{"owner", Role{OID: 10}, read | write | 4, true},
		{"member of the owner", Role{OID: 11, MemberOf: owners}, write | 4, true},
		{"superuser", Role{OID: 12, Superuser: true}, 4, true},
		{"everybody may read", Role{OID: 20}, read, true},
		{"everybody may not write", Role{OID: 20}, read | write, false},
		{"granted together", Role{OID: 30}, read | write, true},
		{"granted to a group", Role{OID: 31, MemberOf: writers}, write, true},
		{"nothing wanted", Role{OID: 20}, 0, true},
	} {
		r := object
		r.Role, r.Want = c.role, c.want
		if Allowed(r) != c.ok {
			t.Errorf("%s: %v, missing %b", c.name, !c.ok, Missing(r))
		}
	}
}
