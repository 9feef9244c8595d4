package functions

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// blockCipher is one that pgcrypto's encrypt names.
type blockCipher struct {
	block, longest int // bytes: of a block, of the longest key
	make           func(key []byte) (cipher.Block, error)
}

var (
	aesCipher = blockCipher{aes.BlockSize, 32, func(key []byte) (cipher.Block, error) {
		size := 16
		for size < len(key) {
			size += 8
		}
		return aes.NewCipher(zeroFilled(key, size))
	}}
	tripleDES = blockCipher{des.BlockSize, 24, func(key []byte) (cipher.Block, error) { return des.NewTripleDESCipher(zeroFilled(key, 24)) }}
	// outdated ciphers have been taken out of OpenSSL's default set, on which PostgreSQL builds.
	outdated = blockCipher{}
)

var blockCiphers = map[string]blockCipher{"aes": aesCipher, "rijndael": aesCipher, "3des": tripleDES, "des3": tripleDES,
	"des": outdated, "bf": outdated, "blowfish": outdated, "cast5": outdated}

// zeroFilled is a key or initial vector of a size: cut, or with zeros after it.
func zeroFilled(b []byte, size int) []byte {
	out := make([]byte, size)
	copy(out, b)
	return out
}

// cipherMode is what stands behind a cipher's name: aes-ecb/pad:none.
type cipherMode struct {
	blockCipher
	ecb, plain bool
}

func cipherNamed(text string) (m cipherMode, err error) {
	unknown := pgerr.New(pgerr.InvalidParameterValue, "Cannot use \"%s\": No such cipher algorithm", text)
	name, option, has := strings.Cut(strings.ToLower(text), "/")
	if has {
		switch option {
		case "pad:none":
			m.plain = true
		case "pad:pkcs":
		default:
			return m, unknown
		}
	}
	name, mode, has := strings.Cut(name, "-")
	if has && mode != "cbc" && mode != "ecb" {
		return m, unknown
	}
	m.ecb = mode == "ecb"
	var ok bool
	if m.blockCipher, ok = blockCiphers[name]; !ok {
		return m, unknown
	}
	return m, nil
}

// apply encrypts or decrypts whole blocks.
func (m *cipherMode) apply(key, iv, data []byte, encrypt bool) ([]byte, error) {
	block, err := m.make(key[:min(len(key), m.longest)])
	if err != nil {
		return nil, err
	}
	out := make([]byte, len(data))
	switch {
	case m.ecb:
		one := block.Decrypt
		if encrypt {
			one = block.Encrypt
		}
		for at := 0; at < len(data); at += m.block {
			one(out[at:], data[at:])
		}
	case encrypt:
		cipher.NewCBCEncrypter(block, zeroFilled(iv, m.block)).CryptBlocks(out, data)
	default:
		cipher.NewCBCDecrypter(block, zeroFilled(iv, m.block)).CryptBlocks(out, data)
	}
	return out, nil
}

// cipherEval is encrypt or decrypt, with a vector as third argument where there are four.
func cipherEval(encrypt bool) EvalFunc {
	verb, noun := "decrypt", "Decryption"
	if encrypt {
		verb, noun = "encrypt", "Encryption"
	}
	return func(_ *Ctx, a []column.Datum) (column.Datum, error) {
		word := verb
		var iv []byte
		if len(a) == 4 {
			iv, word = a[2].B, verb+"_iv"
		}
		failed := func(what string) error {
			return pgerr.New(pgerr.ExternalRoutineInvocationException, "%s error: %s", word, what)
		}
		m, err := cipherNamed(a[len(a)-1].String())
		if err != nil {
			return column.Datum{}, err
		}
		if m.make == nil {
			return column.Datum{}, failed("Cipher cannot be initialized")
		}
		data := a[0].B
		if encrypt && !m.plain {
			n := m.block - len(data)%m.block
			data = append([]byte(nil), data...)
			for range n {
				data = append(data, byte(n))
			}
		}
		if len(data)%m.block != 0 {
			return column.Datum{}, failed(noun + " failed")
		}
		out, err := m.apply(a[1].B, iv, data, encrypt)
		if err != nil {
			return column.Datum{}, failed("Cipher cannot be initialized")
		}
		if !encrypt && !m.plain {
			if out, err = unpadded(out, m.block); err != nil {
				return column.Datum{}, failed(noun + " failed")
			}
		}
		return bytesResult(out)
	}
}

// unpadded takes the padding of PKCS off.
func unpadded(b []byte, block int) ([]byte, error) {
	bad := pgerr.New(pgerr.ExternalRoutineInvocationException, "Decryption failed")
	if len(b) == 0 {
		return nil, bad
	}
	n := int(b[len(b)-1])
	if n == 0 || n > block || n > len(b) {
		return nil, bad
	}
	for _, c := range b[len(b)-n:] {
		if int(c) != n {
			return nil, bad
		}
	}
	return b[:len(b)-n], nil
}
