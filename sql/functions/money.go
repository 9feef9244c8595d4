package functions

import (
	"math"
	"strings"

	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
)

func moneyRange() error {
	return pgerr.New(pgerr.NumericValueOutOfRange, "money out of range")
}

// moneyRounded rounds cents, which may have failed to be computed, to a money value.
func moneyRounded(v float64, err error) (column.Datum, error) {
	if err != nil {
		return column.Datum{}, err
	}
	v = math.RoundToEven(v)
	if math.IsNaN(v) || v < math.MinInt64 || v >= -math.MinInt64 {
		return column.Datum{}, moneyRange()
	}
	return intResult(int64(v))
}

var (
	smallNumbers = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
	tenNumbers   = strings.Fields("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
)

// hundredsInWords spells a number below 1000.
func hundredsInWords(v uint64) string {
	var b strings.Builder
	if v > 99 {
		b.WriteString(smallNumbers[v/100] + " hundred ")
		if v%100 == 0 {
			return strings.TrimSpace(b.String())
		}
		if v%100 < 20 {
			b.WriteString("and ")
		}
	}
	v %= 100
	switch {
	case v < 20:
		b.WriteString(smallNumbers[v])
	case v%10 == 0:
		b.WriteString(tenNumbers[v/10])
	default:
		b.WriteString(tenNumbers[v/10] + " " + smallNumbers[v%10])
	}
	return b.String()
}

// moneyWords spells an amount of cents in English, as on a cheque.
func moneyWords(cents int64) string {
	var words []string
	v := uint64(cents)
	if cents < 0 {
		words, v = append(words, "minus"), -v
	}
	dollars := v / 100
	after := "" // PostgreSQL leaves two spaces after a last "thousand"
	for _, scale := range []struct {
		unit uint64
		name string
	}{{1e15, "quadrillion"}, {1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}} {
		if n := dollars / scale.unit % 1000; n > 0 {
			words, after = append(words, hundredsInWords(n), scale.name), " "
		}
	}
	if n := dollars % 1000; n > 0 {
		words, after = append(words, hundredsInWords(n)), ""
	}
	if dollars == 0 {
		words = append(words, "zero")
	}
	words = append(words, after+map[bool]string{true: "dollar and", false: "dollars and"}[dollars == 1], hundredsInWords(v%100),
		map[bool]string{true: "cent", false: "cents"}[v%100 == 1])
	text := strings.Join(words, " ")
	return strings.ToUpper(text[:1]) + text[1:]
}
