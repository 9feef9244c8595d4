package types
func datetimeCodecs() map[OID]*codec { return nil }
func numericCodecs() map[OID]*codec { return nil }
func bitCodecs() map[OID]*codec { return nil }
func jsonCodecs() map[OID]*codec { return nil }
func uuidCodecs() map[OID]*codec { return nil }
func geometricCodecs() map[OID]*codec { return nil }
func networkCodecs() map[OID]*codec { return nil }
func systemCodecs() map[OID]*codec { return nil }
func arrayCodecs() map[OID]*codec { return nil }
func recordCodecs() map[OID]*codec { return nil }
