package gen

// The types that statements work with, by their names in pg_type, each with how it is written in SQL.
var spellings = map[string]string{
	"bool": "bool", "int2": "int2", "int4": "int4", "int8": "int8", "float4": "float4", "float8": "float8", "numeric": "numeric",
	"text": "text", "varchar": "varchar", "bpchar": "bpchar", "date": "date", "time": "time", "timetz": "timetz",
	"timestamp": "timestamp", "timestamptz": "timestamptz", "interval": "interval", "uuid": "uuid", "bytea": "bytea",
	"jsonb": "jsonb", "json": "json", "_int4": "int4[]", "_text": "text[]", "_numeric": "numeric[]", "bit": "bit(8)", "varbit": "varbit",
	"name": "name", "char": `"char"`, "oid": "oid", "money": "money",
}

func spelling(typ string) string { return spellings[typ] }

// usual are the types that expressions are made of freely; the others turn up as arguments and results.
var usual = []string{"bool", "int4", "int4", "int8", "int2", "float8", "float4", "numeric", "numeric", "text", "text", "varchar", "bpchar",
	"date", "time", "timestamp", "timestamptz", "interval", "uuid", "bytea", "jsonb", "_int4", "_text"}

// rare are types that the select list shows now and then.
var rare = []string{"timetz", "json", "bit", "varbit", "name", "char", "oid", "money", "_numeric"}

// unsortable types have no order, so that they cannot stand in ORDER BY, GROUP BY and DISTINCT.
var unsortable = map[string]bool{"json": true}

// literals are values of each type, the first being the plainest. Those of char(n) and bit fit their column types.
var literals = map[string][]string{
	"bool":    {"t", "f"},
	"int2":    {"1", "0", "-1", "2", "3", "7", "100", "32767", "-32768"},
	"int4":    {"1", "0", "-1", "2", "3", "5", "10", "42", "-7", "2147483647", "-2147483648", "65536"},
	"int8":    {"1", "0", "-1", "2", "4", "12", "1000000007", "9223372036854775807", "-9223372036854775808", "4294967296"},
	"float4":  {"1", "0", "-1.5", "0.1", "2.5", "3.4028235e+38", "1e-45", "NaN", "Infinity", "-Infinity", "-0", "16777217"},
	"float8":  {"1", "0", "-1.5", "0.1", "1.7976931348623157e+308", "5e-324", "NaN", "Infinity", "-Infinity", "-0", "123456.789", "2.5", "-2"},
	"numeric": {"1", "0", "-1", "1.5", "0.10", "2.50", "99.99", "7", "-0.005", "12345678901234567890.123", "NaN", "Infinity", "-Infinity", "1e-10", "100000"},
	"text": {"a", "", "b", "abc", "Abc", "ABC ", " x ", "1", "-12.5", "foo bar", "%a_", "é", "日本", "a\\b", "it''s", "t", "2024-01-31", "{1,2}",
		"[1, 2]", "aaa", "a,b,c", "abcabc"},
	"varchar": {"a", "", "xyz", "Hello", "w ", "12", "ab"},
	"bpchar":  {"a", "", "ab ", "xyz", " q", "1"},
	"date":    {"2024-02-29", "2000-01-01", "1999-12-31", "2023-07-04", "1970-01-01", "infinity", "-infinity", "0044-03-15 BC", "5874897-12-31", "2024-03-31"},
	"time":    {"12:34:56", "00:00:00", "24:00:00", "23:59:59.999999", "06:30:00.5"},
	"timetz":  {"12:34:56+00", "00:00:00-08", "23:59:59.999999+05:30"},
	"timestamp": {"2024-02-29 12:34:56", "2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "infinity", "-infinity", "0044-03-15 10:00:00 BC",
		"2024-03-31 02:30:00", "1970-01-01 00:00:00.5"},
	"timestamptz": {"2024-02-29 12:34:56+00", "2000-01-01 00:00:00+02", "1999-12-31 23:59:59.999999-05", "infinity", "-infinity",
		"2024-11-03 05:30:00+00", "2024-03-10 07:00:00+00", "1970-01-01 00:00:00+00"},
	"interval": {"1 day", "0", "1 mon", "-1 day", "01:30:00", "31 days", "1 year 2 mons 3 days 04:05:06.789", "-1 mon -00:00:01", "24:00:00", "00:00:00.000001"},
	"uuid":     {"00000000-0000-0000-0000-000000000001", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
	"bytea":    {"\\x01", "\\x", "\\x00ff", "\\xdeadbeef", "\\x616263"},
	"jsonb": {"1", "null", "{}", "[]", "\"a\"", "{\"a\": 1}", "{\"a\": {\"b\": [1, 2, null]}, \"c\": \"x\"}", "[1, \"a\", true, null, {\"k\": 2.50}]",
		"true", "-1.5e3", "[[1, 2], [3]]", "{\"b\": \"\", \"aa\": 0}"},
	"json":     {"1", "null", "{\"a\": 1, \"a\": 2}", "[1, 2 ]", "\"a\"", "{\"b\" : {\"c\": null}}"},
	"_int4":    {"{1}", "{}", "{1,2,3}", "{NULL}", "{3,1,NULL,2}", "{{1,2},{3,4}}", "[0:1]={5,6}"},
	"_text":    {"{a}", "{}", "{a,b,c}", "{NULL,\"\"}", "{\"a b\",\"x,y\"}", "{{a,b},{c,d}}"},
	"_numeric": {"{1.0}", "{}", "{1.50,NULL,-2}"},
	"bit":      {"00000001", "10101010", "11111111"},
	"varbit":   {"1", "", "0101", "111100001"},
	"name":     {"a", "", "pg_class", "Abc"},
	"char":     {"a", "", "1"},
	"oid":      {"1", "0", "4294967295", "25"},
	"money":    {"1.00", "0", "-12.34", "100000.99"},
}

// plain is how many of a type's values are not at an edge.
var plain = map[string]int{"bool": 2, "int2": 6, "int4": 9, "int8": 7, "float4": 4, "float8": 4, "numeric": 8, "text": 11, "varchar": 7, "bpchar": 6, "date": 4,
	"time": 2, "timetz": 3, "timestamp": 3, "timestamptz": 3, "interval": 7, "uuid": 3, "bytea": 5, "jsonb": 8, "json": 6, "_int4": 4, "_text": 4,
	"_numeric": 3, "bit": 3, "varbit": 4, "name": 4, "char": 3, "oid": 3, "money": 4}

// literalText writes a value of a type with its type.
func literalText(typ string, i int) string {
	v := literals[typ][i]
	switch typ {
	case "int4":
		if v[0] != '-' {
			return v
		}
		return "(" + v + ")"
	case "bool":
		if v == "t" {
			return "true"
		}
		return "false"
	}
	return "'" + v + "'::" + spelling(typ)
}

// literal draws a constant.
func (g *Generator) literal(typ string) *Node {
	if g.chance(8) {
		return expr(typ, "NULL::"+spelling(typ))
	}
	n := len(literals[typ])
	i := g.rng.IntN(n)
	if !g.chance(15) { // edges make errors, and plain values meet each other more often
		i = g.rng.IntN(min(n, plain[typ]))
	}
	v := literals[typ][i]
	switch {
	case g.chance(3):
		return expr(typ, "'"+v+"'")
	case typ == "numeric" && v[0] >= '0' && v[0] <= '9' && g.chance(50):
		return expr(typ, v+map[bool]string{true: ".0"}[isDigits(v)])
	case typ == "int8" && len(v) > 10 && v[0] != '-':
		return expr(typ, v)
	}
	return expr(typ, literalText(typ, i))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// aType draws a type.
func (g *Generator) aType() string {
	if g.chance(4) {
		return g.Pick(rare...)
	}
	return g.Pick(usual...)
}

// sortable draws a type with an order.
func (g *Generator) sortable() string {
	for {
		if t := g.aType(); !unsortable[t] {
			return t
		}
	}
}
