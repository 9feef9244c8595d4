package settings

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/omendb/omendb/sql/charset"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// check validates a value and returns its canonical form, in the parameter's unit.
func (d *Definition) check(value string) (string, error) {
	switch d.Type {
	case "bool":
		b, ok := parseBool(value)
		if !ok {
			return "", pgerr.New(pgerr.InvalidParameterValue, "parameter \"%s\" requires a Boolean value", d.Name)
		}
		switch {
		case b:
			return "on", nil
		case d.Name == "standard_conforming_strings":
			return "", pgerr.Unsupported("backslashes in strings that are not written E'…' are not escapes: \"%s\" cannot be off", d.Name)
		}
		return "off", nil
	case "enum":
		return d.checkEnum(value)
	case "integer", "real":
		return d.checkNumber(value)
	}
	return d.checkString(value)
}

func parseBool(s string) (v, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return false, false
	}
	for _, w := range []string{"true", "yes", "on", "1"} {
		if w == s || len(s) < len(w) && w != "on" && strings.HasPrefix(w, s) {
			return true, true
		}
	}
	for _, w := range []string{"false", "no", "off", "0"} {
		if w == s || strings.HasPrefix(w, s) && s != "o" {
			return false, true
		}
	}
	return false, false
}

// enumAliases are spellings that PostgreSQL takes without listing them.
var enumAliases = map[string]string{"true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off"}

func (d *Definition) checkEnum(value string) (string, error) {
	v := strings.ToLower(value)
	for _, e := range d.Enum {
		if e == v {
			return e, nil
		}
	}
	if a, ok := enumAliases[v]; ok {
		for _, e := range d.Enum {
			if e == a {
				return e, nil
			}
		}
	}
	return "", pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": \"%s\"", d.Name, value).
		WithHint("Available values: %s.", strings.Join(d.Enum, ", "))
}

// factors turns units of a family into its base: bytes or microseconds.
var factors = map[string]float64{
	"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "8kB": 8 << 10,
	"us": 1, "ms": 1e3, "s": 1e6, "min": 60e6, "h": 3600e6, "d": 86400e6,
}

func isMemoryUnit(u string) bool { return strings.HasSuffix(u, "B") }

func (d *Definition) checkNumber(value string) (string, error) {
	s := strings.TrimSpace(value)
	end := 0
	for end < len(s) && strings.ContainsRune("0123456789+-.eExXabcdfABCDF", rune(s[end])) {
		if _, err := strconv.ParseFloat(s[:end+1], 64); err != nil && end > 0 && !strings.ContainsRune("eExX+-.", rune(s[end])) {
			break
		}
		end++
	}
	num, err := strconv.ParseFloat(s[:end], 64)
	for err != nil && end > 0 {
		end--
		num, err = strconv.ParseFloat(s[:end], 64)
	}
	if i, e := strconv.ParseInt(s, 0, 64); e == nil {
		num, err, end = float64(i), nil, len(s)
	}
	unit := strings.TrimSpace(s[end:])
	if err != nil || math.IsNaN(num) {
		return "", d.invalid(value)
	}
	if unit != "" {
		f, known := factors[unit]
		base, has := factors[d.Unit]
		if !known || !has || isMemoryUnit(unit) != isMemoryUnit(d.Unit) || unit == "8kB" {
			e := d.invalid(value)
			if has && isMemoryUnit(d.Unit) {
				e = e.WithHint("Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".")
			} else if has {
				e = e.WithHint("Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".")
			}
			return "", e
		}
		num = num * f / base
	}
	if d.Type == "integer" {
		num = math.RoundToEven(num)
		if math.Abs(num) > math.MaxInt32 {
			return "", d.invalid(value).WithHint("Value exceeds integer range.")
		}
	}
	lo, _ := strconv.ParseFloat(d.Min, 64)
	hi, _ := strconv.ParseFloat(d.Max, 64)
	if num < lo || num > hi {
		return "", pgerr.New(pgerr.InvalidParameterValue, "%s%s is outside the valid range for parameter \"%s\" (%s .. %s)",
			formatNumber(num), unitSuffix(d.Unit), d.Name, d.Min, d.Max)
	}
	return formatNumber(num), nil
}

func unitSuffix(u string) string {
	if u == "" {
		return ""
	}
	return " " + u
}

func (d *Definition) invalid(value string) *pgerr.Error {
	return pgerr.New(pgerr.InvalidParameterValue, "invalid value for parameter \"%s\": \"%s\"", d.Name, value)
}

func formatNumber(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', 6, 64)
}

func (d *Definition) checkString(value string) (string, error) {
	switch strings.ToLower(d.Name) {
	case "timezone":
		z, err := types.ParseZone(value)
		if err != nil {
			return "", err
		}
		return z.String(), nil
	case "datestyle":
		return checkDateStyle(d, value)
	case "client_encoding":
		e := charset.Find(value)
		switch {
		case e == nil:
			return "", d.invalid(value)
		case !e.Supported():
			return "", pgerr.New(pgerr.FeatureNotSupported, "invalid value for parameter \"%s\": \"%s\"", d.Name, value).
				WithDetail("Conversion between %s and UTF8 is not supported.", e.Name)
		}
		return e.Name, nil
	case "application_name", "cluster_name":
		return printable(value), nil
	case "lc_monetary", "lc_numeric", "lc_time", "lc_messages":
		if v := strings.ToUpper(value); v == "C" || v == "POSIX" || v == "" || strings.HasSuffix(strings.ReplaceAll(v, "-", ""), "UTF8") {
			return value, nil
		}
		return "", d.invalid(value)
	}
	return value, nil
}

// printable keeps printable ASCII and shows other bytes as question marks.
func printable(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	if len(b) > 63 {
		b = b[:63]
	}
	return string(b)
}

// checkDateStyle reads "ISO, MDY" in any order; missing parts are left to current.
func checkDateStyle(d *Definition, value string) (string, error) {
	style, order := "", ""
	given := map[string]string{} // what was said of the style and of the order
	conflict := false
	say := func(what, v string) {
		conflict = conflict || given[what] != "" && given[what] != v
		given[what] = v
	}
	for _, w := range strings.Split(value, ",") {
		switch v := strings.ToLower(strings.TrimSpace(strings.Trim(strings.TrimSpace(w), "\"'"))); {
		case v == "iso":
			style = "ISO"
			say("style", style)
		case v == "sql":
			style = "SQL"
			say("style", style)
		case strings.HasPrefix(v, "postgres"):
			style = "Postgres"
			say("style", style)
		case v == "german":
			style = "German"
			say("style", style)
			if order == "" {
				order = "DMY"
			}
		case v == "mdy" || v == "us" || strings.HasPrefix(v, "noneuro"):
			order = "MDY"
			say("order", order)
		case v == "dmy" || strings.HasPrefix(v, "euro"):
			order = "DMY"
			say("order", order)
		case v == "ymd":
			order = "YMD"
			say("order", order)
		case v == "default":
		default:
			return "", d.invalid(value).WithDetail("Unrecognized key word: \"%s\".", v)
		}
	}
	if conflict {
		return "", d.invalid(value).WithDetail("Conflicting \"datestyle\" specifications.")
	}
	return fmt.Sprintf("%s, %s", style, order), nil
}

// Show formats a canonical value as SHOW does: numbers in the largest unit
// that divides them.
func (d *Definition) Show(value string) string {
	if d.Type == "real" && d.Unit != "" {
		return d.showReal(value)
	}
	if d.Type != "integer" || d.Unit == "" {
		return value
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n <= 0 {
		return value
	}
	base := factors[d.Unit]
	units := []string{"d", "h", "min", "s", "ms", "us"}
	if isMemoryUnit(d.Unit) {
		units = []string{"TB", "GB", "MB", "kB", "B"}
	}
	total := int64(float64(n) * base)
	for _, u := range units {
		if f := int64(factors[u]); total%f == 0 {
			return strconv.FormatInt(total/f, 10) + u
		}
	}
	return value
}

// showReal formats a number in the largest unit in which it is whole, or else in the smallest.
func (d *Definition) showReal(value string) string {
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || v <= 0 {
		return value
	}
	units := []string{"d", "h", "min", "s", "ms", "us"}
	if isMemoryUnit(d.Unit) {
		units = []string{"TB", "GB", "MB", "kB", "B"}
	}
	v *= factors[d.Unit]
	for i, u := range units {
		n := v / factors[u]
		if whole := math.RoundToEven(n); whole > 0 && math.Abs(whole/n-1) <= 1e-8 || i == len(units)-1 {
			return strconv.FormatFloat(n, 'g', 6, 64) + u
		}
	}
	return value
}
