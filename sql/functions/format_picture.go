package functions

import (
	"strings"
	"unicode/utf8"
)

// monthNames and dayNames are the C locale's; formatting knows no other.
var (
	monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	romanNames = []string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}
)

// picture is a parsed format of to_char, to_date and to_timestamp.
type picture struct {
	source string
	nodes  []pictureNode
	fx     bool
}

// pictureNode is a pattern with its modifiers, or literal text of one character.
type pictureNode struct {
	key     string // the pattern in upper case; "" for text
	written string // as written, whose case matters for names
	text    string
	quoted  bool
	fm      bool
	tm      bool   // localized name, which is not padded
	th      string // "TH", "th" or ""
}

// digitKeys are the patterns whose values are digits.
const digitKeys = " HH HH12 HH24 MI SS MS US FF1 FF2 FF3 FF4 FF5 FF6 SSSS SSSSS DDD DD D IDDD ID WW IW W Q CC J YYYY YYY YY Y Y,YYY IYYY IYY IY I MM TZH TZM "

// pictureKeys are the patterns, longer before shorter ones of the same beginning.
var pictureKeys = []string{
	"A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "D", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6",
	"FX", "HH24", "HH12", "HH", "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I", "J", "MI", "MM", "MONTH", "MON", "MS", "OF",
	"P.M.", "PM", "Q", "RM", "SSSSS", "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY", "Y",
}

// parsePicture reads a date format. Names take three forms (DAY, Day, day); any other
// pattern may be all upper or all lower case.
func parsePicture(s string) *picture {
	p := &picture{source: s}
	for i := 0; i < len(s); {
		n := pictureNode{}
		start := i
		for {
			if hasFold(s[i:], "FM") && sameCase(s[i:i+2]) {
				n.fm = true
				i += 2
			} else if hasFold(s[i:], "TM") && sameCase(s[i:i+2]) {
				n.tm = true
				i += 2
			} else {
				break
			}
		}
		if key := matchKey(s[i:]); key != "" {
			n.key, n.written = key, s[i:i+len(key)]
			i += len(key)
			for again := true; again; {
				switch {
				case strings.HasPrefix(s[i:], "TH"), strings.HasPrefix(s[i:], "th"):
					n.th = s[i : i+2]
					i += 2
				case hasFold(s[i:], "SP") && sameCase(s[i:i+2]):
					i += 2
				default:
					again = false
				}
			}
			if key == "FX" {
				p.fx = true
				continue
			}
			p.nodes = append(p.nodes, n)
			continue
		}
		if i > start && i >= len(s) {
			break
		}
		i = p.literal(s, i)
	}
	return p
}

// literal adds the text at s[i:]: a quoted string or one character.
func (p *picture) literal(s string, i int) int {
	if s[i] == '"' {
		for i++; i < len(s) && s[i] != '"'; {
			if s[i] == '\\' && i+1 < len(s) {
				i++
			}
			_, n := utf8.DecodeRuneInString(s[i:])
			p.nodes = append(p.nodes, pictureNode{text: s[i : i+n], quoted: true})
			i += n
		}
		return i + 1
	}
	if s[i] == '\\' && i+1 < len(s) && s[i+1] == '"' {
		i++
	}
	_, n := utf8.DecodeRuneInString(s[i:])
	p.nodes = append(p.nodes, pictureNode{text: s[i : i+n]})
	return i + n
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func sameCase(s string) bool { return s == strings.ToUpper(s) || s == strings.ToLower(s) }

func matchKey(s string) string {
	for _, k := range pictureKeys {
		if !hasFold(s, k) {
			continue
		}
		w := s[:len(k)]
		if sameCase(w) || (k == "DAY" || k == "DY" || k == "MONTH" || k == "MON") && w == capital(k) {
			return k
		}
	}
	return ""
}

func capital(s string) string { return s[:1] + strings.ToLower(s[1:]) }

func (n *pictureNode) digits() bool { return strings.Contains(digitKeys, " "+n.key+" ") }

// cased gives a name the case that the pattern was written in.
func (n *pictureNode) cased(name string) string {
	switch {
	case n.written == strings.ToUpper(n.written):
		return strings.ToUpper(name)
	case n.written == strings.ToLower(n.written):
		return strings.ToLower(name)
	}
	return name
}

// ordinal returns the ending of a number: ST, ND, RD or TH.
func ordinal(num string, lower bool) string {
	last := num[len(num)-1]
	end := "TH"
	if len(num) < 2 || num[len(num)-2] != '1' {
		switch last {
		case '1':
			end = "ST"
		case '2':
			end = "ND"
		case '3':
			end = "RD"
		}
	}
	if lower {
		return strings.ToLower(end)
	}
	return end
}
