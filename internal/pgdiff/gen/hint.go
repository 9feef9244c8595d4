package gen

// hints give arguments of functions whose domain is small: random ones would nearly always fail. The key is a function's
// name and the position of the argument; the values are SQL.
var hints = map[string][]string{
	"date_trunc 0": {"'year'", "'month'", "'day'", "'hour'", "'week'", "'quarter'", "'minute'", "'second'", "'decade'", "'century'"},
	"date_part 0":  {"'hour'", "'minute'", "'second'", "'epoch'", "'microseconds'"},
	"extract 0":    {"'hour'", "'minute'", "'second'", "'epoch'", "'milliseconds'"},
	"convert_to 1": {"'UTF8'"}, "convert_from 1": {"'UTF8'"}, "convert 1": {"'UTF8'"}, "convert 2": {"'UTF8'"}, "length 1": {"'UTF8'"},
	"convert_from 0": {`'\x61'::bytea`, `'\xc3a9'::bytea`, "NULL::bytea"},
	"encode 1":       {"'hex'", "'base64'", "'escape'"}, "decode 1": {"'hex'", "'base64'", "'escape'"}, "decode 0": {"'6162'", "'00ff'", "''"},
	"normalize 1": {"'NFC'", "'NFD'", "'NFKC'", "'NFKD'"}, "is_normalized 1": {"'NFC'", "'NFD'", "'NFKC'", "'NFKD'"},
	"timezone 0": {"'UTC'", "'America/New_York'", "'Europe/Berlin'", "'+03'", "'02:00'"}, "date_trunc 2": {"'UTC'", "'Asia/Tokyo'"},
	"to_char 1":   {"'YYYY-MM-DD'", "'HH24:MI:SS.US'", "'FM999.00'", "'9G999D9'", "'Day DD Month'", "'S099'", "'FMRN'", "'J'", "'IYYY IW'", "'DDD'"},
	"to_number 0": {"'12.5'", "'-7'", "'1,234'"}, "to_number 1": {"'99.9'", "'S99'", "'9,999'"},
	"to_date 0": {"'2024-02-29'", "'2001-10-05'"}, "to_date 1": {"'YYYY-MM-DD'", "'YYYY-MM'"},
	"substr 2": smallSizes, "substring 2": smallSizes, "overlay 2": {"1", "2", "5"}, "overlay 3": {"0", "1", "3"}, "trim_array 1": {"0", "1"},
	"split_part 2": {"1", "2", "-1"}, "split_part 1": {"','", "'b'", "' '"}, "get_bit 1": {"0", "3"}, "set_bit 1": {"0", "3"}, "set_bit 2": {"0", "1"},
	"get_byte 1": {"0"}, "set_byte 1": {"0"}, "set_byte 2": {"7", "255"}, "get_byte 0": {`'\xdeadbeef'::bytea`}, "set_byte 0": {`'\x0102'::bytea`},
	"array_fill 1": {"'{2}'", "'{1,2}'"}, "array_fill 2": {"'{1}'"}, "chr 0": {"65", "97", "233", "8364"},
	"make_date 0": {"2024", "1999", "-44"}, "make_date 1": {"1", "2", "12"}, "make_date 2": {"1", "28"},
	"make_time 0": {"0", "23"}, "make_time 1": {"0", "59"}, "make_time 2": {"0", "59.5"},
	"make_timestamp 0": {"2024"}, "make_timestamp 1": {"2"}, "make_timestamp 2": {"3", "29"}, "make_timestamp 3": {"4"}, "make_timestamp 4": {"5"},
	"make_timestamp 5": {"6.789"}, "make_timestamptz 0": {"2024"}, "make_timestamptz 1": {"11"}, "make_timestamptz 2": {"3"},
	"make_timestamptz 3": {"1"}, "make_timestamptz 4": {"30"}, "make_timestamptz 5": {"0"}, "make_timestamptz 6": {"'America/New_York'"},
	"date_bin 0":     {"'1 day'", "'15 min'", "'01:30:00'"},
	"width_bucket 1": {"0", "1.5"}, "width_bucket 2": {"10", "-3"}, "width_bucket 3": {"4", "1"},
	"ln 0": positive, "log 0": positive, "log 1": positive, "log10 0": positive, "sqrt 0": positive, "dlog1 0": positive, "power 0": positive,
	"power 1": {"2", "0.5", "-1"}, "pow 0": positive, "pow 1": {"2", "3"}, "exp 0": {"0", "1", "-2.5"}, "dexp 0": {"1"}, "acos 0": unit,
	"asin 0": unit, "acosd 0": unit, "asind 0": unit, "atanh 0": {"0.5", "0"}, "acosh 0": {"1.5", "2"}, "numeric_ln 0": positive, "numeric_log 0": positive,
	"numeric_log 1": positive, "numeric_sqrt 0": positive, "numeric_power 0": positive, "numeric_power 1": {"2", "0.5"}, "dpow 0": positive,
	"dsqrt 0": positive, "cosh 0": unit, "sinh 0": unit, "round 1": smallSizes, "trunc 1": smallSizes,
	"regexp_match 1": patterns, "regexp_match 2": {"'i'", "''"}, "regexp_matches 1": patterns, "regexp_replace 1": patterns, "regexp_like 1": patterns,
	"regexp_count 1": patterns, "regexp_instr 1": patterns, "regexp_substr 1": patterns, "regexp_split_to_array 1": patterns,
	"regexp_replace 3": {"'g'", "'i'", "''"}, "regexp_like 2": {"'i'"}, "regexp_split_to_array 2": {"'i'"}, "regexp_count 3": {"'i'"},
	"regexp_count 2": {"1", "2"}, "regexp_instr 2": {"1", "2"}, "regexp_instr 3": {"1", "2"}, "regexp_instr 4": {"0", "1"}, "regexp_instr 5": {"'i'"},
	"regexp_instr 6": {"0"}, "regexp_substr 2": {"1", "2"}, "regexp_substr 3": {"1", "2"}, "regexp_substr 4": {"'i'"}, "regexp_substr 5": {"0", "1"},
	"jsonb_array_length 0": arrays, "json_array_length 0": {"'[1, 2]'::json"}, "jsonb_object_agg 0": {"'k'", "'a'"}, "json_object_agg 0": {"'k'", "'a'"},
	"jsonb_set 0": objects, "jsonb_insert 0": objects, "jsonb_set 1": {"'{a}'", "'{a,b}'"}, "jsonb_insert 1": {"'{z}'"}, "jsonb_delete_path 0": objects,
	"jsonb_set_lax 0": objects, "jsonb_set_lax 1": {"'{a}'"}, "jsonb_set_lax 4": {"'delete_key'", "'return_target'", "'use_json_null'"}, "jsonb_object 0": {"'{a,1,b,2}'"}, "json_object 0": {"'{a,1}'"},
	"jsonb_object 1": {"'{x,y}'"}, "json_object 1": {"'{x}'"},
	"format 0": {"'%s'", "'%s-%s'", "'%L'", "'%I'", "'%%'"}, "array_position 2": {"1", "2"}, "ntile 0": {"2", "3"}, "array_upper 1": {"1"},
	"array_lower 1": {"1"}, "array_length 1": {"1", "2"}, "string_to_array 1": {"','", "'b'", "NULL"}, "to_hex 0": {"255", "-1"},
	"justify_hours 0": {"'27:00'", "'3 days -1:00'"}, "bit_count 0": {`'\x0f'::bytea`}, "translate 1": {"'ab'", "'abc'"}, "uuid_send 0": nil,
	"timetz_scale 1": {"2"}, "similar_to_escape 0": {"'a%'"}, "similar_escape 0": {"'a_'"}, "similar_to_escape 1": {"'#'"}, "similar_escape 1": {"'#'"},
	"like_escape 1": {"'#'"}, "notlike_escape 1": {"'#'"}, "parse_ident 0": {"'a.b'", "'\"X\".y'"}, "to_ascii 0": nil, "nth_value 1": {"1", "2", "3"},
	"percentile_cont 0": {"0.5"},
}

var (
	smallSizes = []string{"0", "1", "2", "3"}
	positive   = []string{"1", "2", "10.5", "0.1", "100"}
	unit       = []string{"0.5", "0", "1", "-0.25"}
	patterns   = []string{"'a'", "'b+'", "'^A'", "'[a-c]'", "'(a)(b)?'", "'.'", "'\\s'", "'c$'", "'x*'", "'a|b'"}
	objects    = []string{`'{"a": 1}'::jsonb`, `'{"a": {"b": [1, null]}, "c": "x"}'::jsonb`, "NULL::jsonb"}
	arrays     = []string{"'[1, 2]'::jsonb", "'[]'::jsonb", `'["x", {"a": 1}]'::jsonb`}
)

// divisors stand on the right of / and % mostly: zero is dull after some time.
var divisors = map[string][]string{"int2": {"'2'::int2", "'7'::int2"}, "int4": {"2", "3", "(-7)"}, "int8": {"'2'::int8", "'10'::int8"},
	"numeric": {"2.0", "0.3", "7"}, "float4": {"'2'::float4", "'0.1'::float4"}, "float8": {"'2'::float8", "'0.1'::float8"}, "money": {"'2'::money"}}

// readable are texts that each type can be read from, and JSON values that casts accept.
var jsonOf = map[string][]string{"bool": {"true", "false"}, "int2": {"1", "-2"}, "int4": {"1", "2.5", "42"}, "int8": {"1", "1000000007"}, "float4": {"0.1"},
	"float8": {"0.1", "-1.5e3"}, "numeric": {"1.50", "7"}}

// hinted draws an argument from the hints; nil if there are none.
func (g *Generator) hinted(key, typ string) *Node {
	list := hints[key]
	if len(list) == 0 || g.chance(6) {
		return nil
	}
	v := g.Pick(list...)
	if v[0] == '\'' && v[len(v)-1] == '\'' {
		v += "::" + spelling(typ)
	} else if typ != "int4" && v[0] != '\'' && v[0] != 'N' {
		v = "'" + v + "'::" + spelling(typ)
	}
	return expr(typ, v)
}
