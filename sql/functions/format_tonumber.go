package functions

import (
	"github.com/omendb/omendb/engine/column"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// numberReader follows a picture through a text and gathers sign and digits.
type numberReader struct {
	p         *numberPicture
	s         string
	pos       int
	sign      byte // 0 until one was seen
	digits    []byte
	pre, post int
	point     bool
}

func (r *numberReader) end() bool { return r.pos >= len(r.s) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// read is to_number.
func (p *numberPicture) read(c *Ctx, s string) (column.Datum, error) {
	if p.roman {
		return column.Datum{}, pgerr.New(pgerr.FeatureNotSupported, "\"RN\" not supported for input")
	}
	if p.sci {
		return column.Datum{}, pgerr.New(pgerr.FeatureNotSupported, "\"EEEE\" not supported for input")
	}
	r := &numberReader{p: p, s: s}
	for i := range p.nodes {
		if r.end() {
			break
		}
		r.node(&p.nodes[i])
	}
	text := string(r.digits)
	if r.sign == '-' {
		text = "-" + text
	}
	if text == "" {
		text = " "
	}
	precision, scale := p.pre+p.multi+r.post, r.post
	typmod := int32(precision<<16|scale) + 4
	if precision < 1 || precision > 1000 {
		typmod = -1
	}
	d, err := c.Env.In(types.NumericOID, typmod, text)
	if err != nil || !p.multiply {
		return d, err
	}
	unit, err := types.NumericFromInt64(10).Pow(types.NumericFromInt64(int64(-p.multi)))
	if err != nil {
		return column.Datum{}, err
	}
	n, err := types.NumericFrom(d).Mul(unit)
	return n.Datum(), err
}

func (r *numberReader) node(n *numberNode) {
	switch n.key {
	case "9", "0", ".", "D":
		r.part(n.key)
	case ",", "G":
		if r.s[r.pos] == ',' {
			r.pos++
		}
		return
	case "L":
		for !r.end() && !isDigit(r.s[r.pos]) && r.s[r.pos] != '-' && r.s[r.pos] != '+' && r.s[r.pos] != '.' && r.s[r.pos] != ',' {
			r.pos++
		}
		return
	case "MI":
		if r.s[r.pos] != '-' {
			return
		}
		r.sign = '-'
	case "PL":
		if r.s[r.pos] != '+' {
			return
		}
		r.sign = '+'
	case "SG":
		if c := r.s[r.pos]; c != '-' && c != '+' {
			return
		}
		r.sign = r.s[r.pos]
	case "S", "PR", "V", "B":
		return
	case "TH":
		r.pos++
	}
	if !r.end() {
		r.pos += charSize([]byte(r.s[r.pos:]), true)
	}
}

// part reads what one digit position or point allows; its caller steps on by one character.
func (r *numberReader) part(key string) {
	if r.s[r.pos] == ' ' {
		r.pos++
	}
	if r.end() {
		return
	}
	if r.sign == 0 && (key == "0" || key == "9") && r.pre+r.post == 0 {
		switch c := r.s[r.pos]; {
		case c == '-' || r.p.bracket && c == '<':
			r.sign = '-'
			r.pos++
		case c == '+':
			r.sign = '+'
			r.pos++
		}
	}
	if r.end() {
		return
	}
	read := false
	switch c := r.s[r.pos]; {
	case isDigit(c):
		if r.point && r.post == r.p.post {
			return
		}
		r.digits = append(r.digits, c)
		if r.point {
			r.post++
		} else {
			r.pre++
		}
		read = true
	case c == '.' && r.p.decimal && !r.point:
		r.digits = append(r.digits, '.')
		r.point, read = true, true
	}
	if r.sign != 0 || r.pre+r.post == 0 {
		return
	}
	if r.p.sign && read && r.pos+1 < len(r.s) && !isDigit(r.s[r.pos+1]) {
		if c := r.s[r.pos+1]; c == '-' || c == '+' {
			r.sign = c
			r.pos++
		}
	} else if c := r.s[r.pos]; !read && !r.p.sign && (r.p.plus || r.p.minus) && (c == '-' || c == '+') {
		r.sign = c
	}
}
