package functions

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// cryptoExtension is pgcrypto without the functions of PGP, which are there to be seen but
// cannot be called.
var cryptoExtension = &Extension{Name: "pgcrypto", Version: "1.3", Comment: "cryptographic functions",
	Functions: append([]ExtensionFunc{
		{Name: "digest", Symbol: "pg_digest_text", Args: []OID{typeText, typeText}, Ret: typeBytea, Volatile: 'i', Eval: digestOf},
		{Name: "digest", Symbol: "pg_digest", Args: []OID{typeBytea, typeText}, Ret: typeBytea, Volatile: 'i', Eval: digestOf},
		{Name: "hmac", Symbol: "pg_hmac_text", Args: []OID{typeText, typeText, typeText}, Ret: typeBytea, Volatile: 'i', Eval: hmacOf},
		{Name: "hmac", Symbol: "pg_hmac", Args: []OID{typeBytea, typeBytea, typeText}, Ret: typeBytea, Volatile: 'i', Eval: hmacOf},
		{Name: "crypt", Symbol: "pg_crypt", Args: []OID{typeText, typeText}, Ret: typeText, Volatile: 'i', Eval: crypt},
		{Name: "gen_salt", Symbol: "pg_gen_salt", Args: []OID{typeText}, Ret: typeText, Volatile: 'v', Eval: genSalt},
		{Name: "gen_salt", Symbol: "pg_gen_salt_rounds", Args: []OID{typeText, typeInt}, Ret: typeText, Volatile: 'v', Eval: genSalt},
		{Name: "gen_random_bytes", Symbol: "pg_random_bytes", Args: []OID{typeInt}, Ret: typeBytea, Volatile: 'v', Eval: randomBytes},
		{Name: "gen_random_uuid", Symbol: "pg_random_uuid", Ret: typeUUID, Volatile: 'v', Eval: sizeEvals["gen_random_uuid"]},
	}, encryptionFunctions()...)}

// encryptionFunctions are the ciphers of pgcrypto, and its functions of PGP.
func encryptionFunctions() []ExtensionFunc {
	var list []ExtensionFunc
	add := func(name string, ret OID, volatile byte, args ...OID) {
		symbol := name
		for _, a := range args {
			symbol += "_" + types.ByOID(a).Name
		}
		list = append(list, ExtensionFunc{Name: name, Symbol: symbol, Args: args, Ret: ret, Volatile: volatile})
	}
	for _, name := range []string{"encrypt", "decrypt"} {
		add(name, typeBytea, 'i', typeBytea, typeBytea, typeText)
		add(name+"_iv", typeBytea, 'i', typeBytea, typeBytea, typeBytea, typeText)
		list[len(list)-2].Eval, list[len(list)-1].Eval = cipherEval(name == "encrypt"), cipherEval(name == "encrypt")
	}
	add("pgp_sym_encrypt", typeBytea, 'v', typeText, typeText)
	add("pgp_sym_encrypt", typeBytea, 'v', typeText, typeText, typeText)
	add("pgp_sym_encrypt_bytea", typeBytea, 'v', typeBytea, typeText)
	add("pgp_sym_encrypt_bytea", typeBytea, 'v', typeBytea, typeText, typeText)
	add("pgp_sym_decrypt", typeText, 'i', typeBytea, typeText)
	add("pgp_sym_decrypt", typeText, 'i', typeBytea, typeText, typeText)
	add("pgp_sym_decrypt_bytea", typeBytea, 'i', typeBytea, typeText)
	add("pgp_sym_decrypt_bytea", typeBytea, 'i', typeBytea, typeText, typeText)
	add("pgp_pub_encrypt", typeBytea, 'v', typeText, typeBytea)
	add("pgp_pub_encrypt", typeBytea, 'v', typeText, typeBytea, typeText)
	add("pgp_pub_decrypt", typeText, 'i', typeBytea, typeBytea)
	add("pgp_pub_decrypt", typeText, 'i', typeBytea, typeBytea, typeText)
	add("pgp_pub_decrypt", typeText, 'i', typeBytea, typeBytea, typeText, typeText)
	add("pgp_key_id", typeText, 'i', typeBytea)
	add("armor", typeText, 'i', typeBytea)
	add("dearmor", typeBytea, 'i', typeText)
	return list
}

var hashes = map[string]func() hash.Hash{"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New,
	"sha384": sha512.New384, "sha512": sha512.New}

func hashNamed(name string) (func() hash.Hash, error) {
	h := hashes[strings.ToLower(name)]
	if h == nil {
		return nil, pgerr.New(pgerr.InvalidParameterValue, "Cannot use \"%s\": No such hash algorithm", name)
	}
	return h, nil
}

func digestOf(_ *Ctx, a []column.Datum) (column.Datum, error) {
	h, err := hashNamed(a[1].String())
	if err != nil {
		return column.Datum{}, err
	}
	s := h()
	s.Write(a[0].B)
	return bytesResult(s.Sum(nil))
}

func hmacOf(_ *Ctx, a []column.Datum) (column.Datum, error) {
	h, err := hashNamed(a[2].String())
	if err != nil {
		return column.Datum{}, err
	}
	s := hmac.New(h, a[1].B)
	s.Write(a[0].B)
	return bytesResult(s.Sum(nil))
}

// maxRandomBytes is pgcrypto's limit.
const maxRandomBytes = 1024

func randomBytes(_ *Ctx, a []column.Datum) (column.Datum, error) {
	if a[0].I < 1 || a[0].I > maxRandomBytes {
		return column.Datum{}, pgerr.New(pgerr.ExternalRoutineInvocationException, "Length not in range")
	}
	b := make([]byte, a[0].I)
	rand.Read(b)
	return bytesResult(b)
}
