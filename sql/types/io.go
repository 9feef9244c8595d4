package types

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

// codec is the four formats of a type. Every type of the same family shares one;
// t is the type at hand. Typmods are applied by the callers (see In), except by
// interval, whose fields decide how its text is read.
type codec struct {
	in   func(e *Env, t *Type, typmod int32, s string) (Datum, error)
	out  func(e *Env, dst []byte, t *Type, d Datum) []byte
	recv func(e *Env, t *Type, typmod int32, b []byte) (Datum, error)
	send func(e *Env, dst []byte, t *Type, d Datum) []byte
}

// maxBuiltinOID bounds the table of codecs by OID; pg_type's hand-given OIDs are below it.
const maxBuiltinOID = 6200

// codecs is filled once by init (a composite literal would be an initialization
// cycle: arrays and rows look up the codecs of their elements) and constant after.
var codecs [maxBuiltinOID]*codec

// codecTypes are the types that have codecs, by OID, to find both without a map.
var codecTypes [maxBuiltinOID]*Type

func init() {
	arrayCodec = &codec{arrayIn, arrayOut, arrayRecv, arraySend}
	enumCodec = &codec{enumIn, enumOut, enumRecv, enumSend}
	recordCodec = &codec{recordIn, recordOut, recordRecv, recordSend}
	for _, family := range []map[OID]*codec{
		scalarCodecs(), textCodecs(), floatCodecs(), datetimeCodecs(), numericCodecs(),
		bitCodecs(), jsonCodecs(), uuidCodecs(), geometricCodecs(), networkCodecs(),
		systemCodecs(), snapshotCodecs(), arrayCodecs(), recordCodecs(),
	} {
		for oid, c := range family {
			if codecs[oid] != nil {
				panic("types: two codecs for one type")
			}
			codecs[oid], codecTypes[oid] = c, builtin().byOID[oid]
		}
	}
}

// Families of types that users can add to; set by init as well.
var arrayCodec, enumCodec, recordCodec *codec

// codec returns the formats of a type that is not a domain, nil when it has none.
func (t *Type) codec() *codec {
	if t.OID < maxBuiltinOID {
		if c := codecs[t.OID]; c != nil {
			return c
		}
	}
	switch {
	case t.IsArray():
		return arrayCodec
	case t.TypType == 'e':
		return enumCodec
	case t.TypType == 'c':
		return recordCodec
	}
	return nil
}

// find returns a type's facts and formats, looking through domains.
func (e *Env) find(oid OID, typmod int32) (*Type, int32, *codec, error) {
	if oid < maxBuiltinOID && codecTypes[oid] != nil {
		return codecTypes[oid], typmod, codecs[oid], nil
	}
	t := e.Type(oid)
	if t != nil && t.TypType == 'd' {
		oid, typmod = e.BaseType(oid, typmod)
		t = e.Type(oid)
	}
	if t == nil {
		return nil, 0, nil, pgerr.New(pgerr.InternalError, "cache lookup failed for type %d", oid)
	}
	return t, typmod, t.codec(), nil
}

// In reads the text form of a value, as PostgreSQL's input functions do: typmod (-1
// for none) is applied like an assignment. Domains are read as their base type; their
// constraints are the executor's to check.
func (e *Env) In(oid OID, typmod int32, s string) (Datum, error) {
	t, typmod, c, err := e.find(oid, typmod)
	if err != nil {
		return Datum{}, err
	}
	if c == nil || c.in == nil {
		return Datum{}, noInput(e, t)
	}
	d, err := c.in(e, t, typmod, s)
	if err != nil || typmod < 0 || t.IsArray() { // elements were fitted one by one
		return d, err
	}
	return e.ApplyTypmod(t.OID, typmod, d, false)
}

// inPart is In of a part of another value, whose domain nobody else looks at.
func (e *Env) inPart(oid OID, typmod int32, s string) (Datum, error) {
	d, err := e.In(oid, typmod, s)
	if err != nil {
		return d, err
	}
	return d, e.checkPart(oid, d)
}

// checkPart tests a part of a value that was read against the constraints of its type, if that is a domain.
func (e *Env) checkPart(oid OID, d Datum) error {
	if oid < maxBuiltinOID || e.Domain == nil {
		return nil
	}
	if t := e.Type(oid); t == nil || t.TypType != 'd' {
		return nil
	}
	return e.Domain(oid, d)
}

// Out appends the text form of a value that is not NULL.
func (e *Env) Out(dst []byte, oid OID, d Datum) []byte {
	t, _, c, err := e.find(oid, -1)
	if err != nil || c == nil || c.out == nil {
		panic(outputBug(t, oid))
	}
	return c.out(e, dst, t, d)
}

// Recv reads the binary wire form of a value; like In otherwise.
func (e *Env) Recv(oid OID, typmod int32, b []byte) (Datum, error) {
	t, typmod, c, err := e.find(oid, typmod)
	if err != nil {
		return Datum{}, err
	}
	if c == nil || c.recv == nil {
		return Datum{}, pgerr.New(pgerr.UndefinedFunction, "no binary input function available for type %s", e.TypeName(t.OID))
	}
	d, err := c.recv(e, t, typmod, b)
	if err != nil || typmod < 0 {
		return d, err
	}
	return e.ApplyTypmod(t.OID, typmod, d, false)
}

// Send appends the binary wire form of a value that is not NULL. The type must have
// one: ask CanSend for types that a client chose.
func (e *Env) Send(dst []byte, oid OID, d Datum) []byte {
	t, _, c, err := e.find(oid, -1)
	if err != nil || c == nil || c.send == nil {
		panic(outputBug(t, oid))
	}
	return c.send(e, dst, t, d)
}

// OutFunc returns Out for one type, for use in a hot loop.
func (e *Env) OutFunc(oid OID) func(dst []byte, d Datum) []byte {
	t, _, c, err := e.find(oid, -1)
	if err != nil || c == nil || c.out == nil {
		panic(outputBug(t, oid))
	}
	return func(dst []byte, d Datum) []byte { return c.out(e, dst, t, d) }
}

// SendFunc returns Send for one type, for use in a hot loop.
func (e *Env) SendFunc(oid OID) func(dst []byte, d Datum) []byte {
	t, _, c, err := e.find(oid, -1)
	if err != nil || c == nil || c.send == nil {
		panic(outputBug(t, oid))
	}
	return func(dst []byte, d Datum) []byte { return c.send(e, dst, t, d) }
}

// CanOut returns nil when values of the type have a text form to show, else the error to give.
func (e *Env) CanOut(oid OID) error {
	t, _, c, err := e.find(oid, -1)
	if err != nil {
		return err
	}
	if c == nil || c.out == nil {
		if t.TypType == 'p' {
			return pgerr.New(pgerr.FeatureNotSupported, "cannot display a value of type %s", e.TypeName(t.OID))
		}
		return pgerr.Unsupported("type %s is not supported", e.TypeName(t.OID))
	}
	return nil
}

// CanSend returns nil when values of the type have a binary form, else the error to give.
func (e *Env) CanSend(oid OID) error {
	t, _, c, err := e.find(oid, -1)
	if err != nil {
		return err
	}
	if c == nil || c.send == nil {
		return pgerr.New(pgerr.UndefinedFunction, "no binary output function available for type %s", e.TypeName(t.OID))
	}
	return nil
}

// CanIn returns nil when values of the type can be read from text, else the error to give.
func (e *Env) CanIn(oid OID) error {
	t, _, c, err := e.find(oid, -1)
	if err != nil {
		return err
	}
	if c == nil || c.in == nil {
		return noInput(e, t)
	}
	return nil
}

func noInput(e *Env, t *Type) error {
	if t.TypType == 'p' {
		return pgerr.New(pgerr.FeatureNotSupported, "cannot accept a value of type %s", e.TypeName(t.OID))
	}
	return pgerr.Unsupported("type %s is not supported", e.TypeName(t.OID))
}

func outputBug(t *Type, oid OID) string {
	if t == nil {
		return "types: output of a value of an unknown type"
	}
	return "types: output of a value of type " + t.Name + ", which has no such form"
}

// invalidSyntax is the error for text that is no value of the type.
func invalidSyntax(typeName, s string) *pgerr.Error {
	return pgerr.New(pgerr.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", typeName, s)
}

// badBinary is the error for wire bytes of the wrong length.
func badBinary() *pgerr.Error {
	return pgerr.New(pgerr.InvalidBinaryRepresentation, wrongLength)
}

// shortMessage is the error for wire bytes that end too early.
func shortMessage() *pgerr.Error {
	return pgerr.New(pgerr.ProtocolViolation, "insufficient data left in message")
}

// exact checks that wire bytes have the one length that a type has.
func exact(b []byte, n int) error {
	if len(b) < n {
		return shortMessage()
	}
	if len(b) > n {
		return badBinary()
	}
	return nil
}

func intDatum(v int64) Datum     { return column.IntDatum(v) }
func floatDatum(v float64) Datum { return column.FloatDatum(v) }
func bytesDatum(b []byte) Datum  { return column.BytesDatum(b) }
func stringDatum(s string) Datum { return column.StringDatum(s) }
func boolDatum(v bool) Datum     { return column.BoolDatum(v) }

// AtParameter adds the number of a Bind message's parameter to the error of a
// value of the wrong length, which PostgreSQL words so.
func AtParameter(err error, number int) error {
	e, ok := err.(*pgerr.Error)
	if !ok || e.Message != wrongLength {
		return err
	}
	return pgerr.New(e.Code, "%s %d", wrongLength, number)
}

const wrongLength = "incorrect binary data format in bind parameter"
