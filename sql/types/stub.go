package types

func bitCodecs() map[OID]*codec       { return nil }
func uuidCodecs() map[OID]*codec      { return nil }
func geometricCodecs() map[OID]*codec { return nil }
func networkCodecs() map[OID]*codec   { return nil }
func systemCodecs() map[OID]*codec    { return nil }
