package types

func bitCodecs() map[OID]*codec       { return nil }
func jsonCodecs() map[OID]*codec      { return nil }
func uuidCodecs() map[OID]*codec      { return nil }
func geometricCodecs() map[OID]*codec { return nil }
func networkCodecs() map[OID]*codec   { return nil }
func systemCodecs() map[OID]*codec    { return nil }
func arrayCodecs() map[OID]*codec     { return nil }
func recordCodecs() map[OID]*codec    { return nil }

func arrayIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	return Datum{}, noInput(nil, ByOID(AnyOID))
}
func arrayOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return dst }
func arrayRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	return Datum{}, noInput(nil, ByOID(AnyOID))
}
func arraySend(_ *Env, dst []byte, _ *Type, d Datum) []byte { return dst }
func enumIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	return Datum{}, noInput(nil, ByOID(AnyOID))
}
func enumOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return dst }
func enumRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	return Datum{}, noInput(nil, ByOID(AnyOID))
}
func enumSend(_ *Env, dst []byte, _ *Type, d Datum) []byte { return dst }
func recordIn(_ *Env, _ *Type, _ int32, s string) (Datum, error) {
	return Datum{}, noInput(nil, ByOID(AnyOID))
}
func recordOut(_ *Env, dst []byte, _ *Type, d Datum) []byte { return dst }
func recordRecv(_ *Env, _ *Type, _ int32, b []byte) (Datum, error) {
	return Datum{}, noInput(nil, ByOID(AnyOID))
}
func recordSend(_ *Env, dst []byte, _ *Type, d Datum) []byte { return dst }
