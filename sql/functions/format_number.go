package functions

import (
	"strings"
	"unicode/utf8"

	"github.com/omendb/omendb/sql/pgerr"
)

// signPlace says where the sign of S goes.
type signPlace uint8

const (
	signNone signPlace = iota
	signPre
	signPost
)

// numberPicture is a parsed format of to_char for numbers and of to_number.
type numberPicture struct {
	source    string
	nodes     []numberNode
	pre, post int // digits before and after the point
	multi     int // digits behind V
	zeroStart int
	zeroEnd   int
	preSign   int // digits before S

	decimal, zero, blank, fill, sign, bracket, minus, plus, roman, multiply, sci, ordinal bool
	place                                                                                 signPlace
}

// numberNode is a pattern ("9", "MI", …) or a literal character.
type numberNode struct {
	key  string
	text string
}

var numberKeys = []string{",", ".", "0", "9", "B", "C", "D", "EEEE", "FM", "G", "L", "MI", "PL", "PR", "RN", "SG", "SP", "S", "TH", "V"}

func pictureError(text string) error { return pgerr.New(pgerr.SyntaxError, "%s", text) }

func matchNumberKey(s string) string {
	for _, k := range numberKeys {
		if hasFold(s, k) && (sameCase(s[:len(k)])) {
			return k
		}
	}
	return ""
}

func parseNumberPicture(s string) (*numberPicture, error) {
	p := &numberPicture{source: s}
	for i := 0; i < len(s); {
		if key := matchNumberKey(s[i:]); key != "" {
			n := numberNode{key: key, text: s[i : i+len(key)]}
			i += len(key)
			if err := p.prepare(key); err != nil {
				return nil, err
			}
			if key != "FM" && key != "SP" {
				p.nodes = append(p.nodes, n)
			}
			continue
		}
		if s[i] == '"' {
			for i++; i < len(s) && s[i] != '"'; {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				_, size := utf8.DecodeRuneInString(s[i:])
				p.nodes = append(p.nodes, numberNode{text: s[i : i+size]})
				i += size
			}
			i++
			continue
		}
		if s[i] == '\\' && i+1 < len(s) && s[i+1] == '"' {
			i++
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		p.nodes = append(p.nodes, numberNode{text: s[i : i+size]})
		i += size
	}
	return p, nil
}

// prepare counts a pattern into the description, or refuses the combination.
func (p *numberPicture) prepare(key string) error {
	if p.sci && key != "EEEE" {
		return pictureError(`"EEEE" must be the last pattern used`)
	}
	switch key {
	case "9", "0":
		return p.digit(key)
	case "B":
		p.blank = p.blank || p.pre == 0 && p.post == 0 && !p.zero
	case "D", ".":
		if p.decimal {
			return pictureError("multiple decimal points")
		}
		if p.multiply {
			return pictureError(`cannot use "V" and decimal point together`)
		}
		p.decimal = true
	case "FM":
		p.fill = true
	case "S":
		if p.sign {
			return pictureError(`cannot use "S" twice`)
		}
		if p.plus || p.minus || p.bracket {
			return pictureError(`cannot use "S" and "PL"/"MI"/"SG"/"PR" together`)
		}
		p.sign, p.place = true, signPost
		if !p.decimal {
			p.place, p.preSign = signPre, p.pre
		}
	case "MI", "PL", "SG":
		if p.sign {
			return pictureError(`cannot use "S" and "` + key + `" together`)
		}
		p.minus = p.minus || key != "PL"
		p.plus = p.plus || key != "MI"
	case "PR":
		if p.sign || p.plus || p.minus {
			return pictureError(`cannot use "PR" and "S"/"PL"/"MI"/"SG" together`)
		}
		p.bracket = true
	case "RN":
		p.roman = true
	case "TH":
		p.ordinal = true
	case "V":
		if p.decimal {
			return pictureError(`cannot use "V" and decimal point together`)
		}
		p.multiply = true
	case "EEEE":
		if p.sci {
			return pictureError(`cannot use "EEEE" twice`)
		}
		if p.blank || p.fill || p.sign || p.bracket || p.minus || p.plus || p.roman || p.multiply {
			return pgerr.New(pgerr.SyntaxError, "\"EEEE\" is incompatible with other formats").
				WithDetail("\"EEEE\" may only be used together with digit and decimal point patterns.")
		}
		p.sci = true
	}
	return nil
}

func (p *numberPicture) digit(key string) error {
	if p.bracket {
		return pictureError(`"` + key + `" must be ahead of "PR"`)
	}
	if key == "9" {
		switch {
		case p.multiply:
			p.multi++
		case p.decimal:
			p.post++
		default:
			p.pre++
		}
		return nil
	}
	if !p.zero && !p.decimal {
		p.zero, p.zeroStart = true, p.pre
	}
	if p.decimal {
		p.post++
	} else {
		p.pre++
	}
	p.zeroEnd = p.pre + p.post
	return nil
}

// numberWriter is one to_char: digits of a number poured into a picture.
type numberWriter struct {
	p        numberPicture // a copy: S and PR may turn out not to apply
	out      strings.Builder
	digits   string // of the number, without sign, with a point
	at       int    // in digits
	relevant int    // last digit that matters with FM; -1 for all
	negative bool
	blanks   int // positions before the first digit
	place    int // positions gone by
	count    int
	signDone bool
	inNumber bool
}

// write pours digits into the picture; blanks is by how many positions the picture is wider.
func (p *numberPicture) write(digits string, negative bool, blanks int) string {
	w := &numberWriter{p: *p, digits: digits, negative: negative, blanks: blanks, relevant: -1}
	if w.p.plus || w.p.minus {
		w.signDone = !w.p.plus || w.p.minus
	} else {
		if !negative && w.p.fill {
			w.p.bracket = false
		}
		w.signDone = !negative && w.p.fill && !w.p.sign
		if w.p.place == signPre && w.p.pre == w.p.preSign {
			w.p.place = signPost
		}
	}
	w.count = w.p.pre + w.p.post - 1
	if w.p.fill && w.p.decimal {
		w.relevant = lastRelevant(digits)
		if w.relevant >= 0 && w.p.zeroEnd > blanks {
			w.relevant = max(w.relevant, min(len(digits)-1, w.p.zeroEnd-blanks))
		}
	}
	if !w.signDone && blanks == 0 {
		w.count++
	}
	for i := range w.p.nodes {
		w.node(&w.p.nodes[i])
	}
	return w.out.String()
}

// lastRelevant returns the place of the last fraction digit that is not 0, of the point
// when there is none, -1 without a point.
func lastRelevant(digits string) int {
	point := strings.IndexByte(digits, '.')
	if point < 0 {
		return -1
	}
	last := point
	for i := point + 1; i < len(digits); i++ {
		if digits[i] != '0' {
			last = i
		}
	}
	return last
}

func (w *numberWriter) node(n *numberNode) {
	blankUnlessFill := func(width int) {
		if !w.p.fill {
			w.out.WriteString(strings.Repeat(" ", width))
		}
	}
	switch n.key {
	case "9", "0", ".", "D":
		w.digit(n.key)
	case ",", "G":
		if w.inNumber {
			w.out.WriteByte(',')
		} else {
			blankUnlessFill(1)
		}
	case "L":
		w.out.WriteByte(' ')
	case "TH":
		if w.p.roman || w.digits[0] == '#' || w.negative || w.p.decimal {
			return
		}
		w.out.WriteString(ordinal(w.digits, n.text == "th"))
	case "MI":
		if w.negative {
			w.out.WriteByte('-')
		} else {
			blankUnlessFill(1)
		}
	case "PL":
		if !w.negative {
			w.out.WriteByte('+')
		} else {
			blankUnlessFill(1)
		}
	case "SG":
		w.out.WriteString(w.signText())
	case "":
		w.out.WriteString(n.text)
	}
}

func (w *numberWriter) signText() string {
	if w.negative {
		return "-"
	}
	return "+"
}

// predecSpace says that a zero before the point is not shown.
func (w *numberWriter) predecSpace() bool {
	return !w.p.zero && w.at == 0 && w.digits[0] == '0' && w.p.post != 0
}

func (w *numberWriter) pointIsLast() bool { return w.relevant >= 0 && w.digits[w.relevant] == '.' }

func (w *numberWriter) writeSign() {
	if w.signDone || !(w.place >= w.blanks || w.p.zero && w.p.zeroStart == w.place) || w.predecSpace() && !w.pointIsLast() {
		return
	}
	switch {
	case w.p.sign:
		if w.p.place == signPre {
			w.out.WriteString(w.signText())
			w.signDone = true
		}
	case w.p.bracket:
		w.out.WriteByte(map[bool]byte{true: '<', false: ' '}[w.negative])
		w.signDone = true
	case !w.negative:
		if !w.p.fill {
			w.out.WriteByte(' ')
		}
		w.signDone = true
	default:
		w.out.WriteByte('-')
		w.signDone = true
	}
}

// digit fills one position of 9, 0 or the point.
func (w *numberWriter) digit(key string) {
	if w.p.roman {
		return
	}
	w.inNumber = false
	w.writeSign()
	switch {
	case w.place < w.blanks && (!w.p.zero || w.p.zeroStart > w.place):
		if !w.p.fill {
			w.out.WriteByte(' ')
		}
	case w.place < w.blanks:
		w.out.WriteByte('0')
		w.inNumber = true
	default:
		w.numeral(key)
	}
	end := w.count
	if w.blanks > 0 {
		end++
	}
	if w.p.decimal {
		end++
	}
	if w.relevant >= 0 && w.relevant == w.at {
		end = w.place
	}
	if w.place+1 == end {
		if w.signDone && w.p.bracket {
			w.out.WriteByte(map[bool]byte{true: '>', false: ' '}[w.negative])
		} else if w.p.sign && w.p.place == signPost {
			w.out.WriteString(w.signText())
		}
	}
	w.place++
}

// numeral writes the next character of the number.
func (w *numberWriter) numeral(key string) {
	switch {
	case w.at >= len(w.digits):
		return
	case w.digits[w.at] == '.':
		if w.relevant < 0 || !w.pointIsLast() || w.p.fill {
			w.out.WriteByte('.')
		}
	case w.relevant >= 0 && w.at > w.relevant && key != "0":
	case w.predecSpace():
		if !w.p.fill {
			w.out.WriteByte(' ')
		} else if w.pointIsLast() {
			w.out.WriteByte('0')
		}
	default:
		w.out.WriteByte(w.digits[w.at])
		w.inNumber = true
	}
	w.at++
}
