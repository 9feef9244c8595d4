package isolation

import (
	"fmt"
	"strconv"
	"strings"
)

// Spec is a parsed scenario.
type Spec struct {
	Setup        []string
	Teardown     string
	Sessions     []*Session
	Permutations [][]Move
	steps        map[string]*Step
}

// Session is one connection's part of a scenario.
type Session struct {
	Name     string
	Setup    string
	Teardown string
	Steps    []*Step
}

// Step is one statement string of a session.
type Step struct {
	Name    string
	SQL     string
	session int
}

// Move is a step in a permutation, with its markers.
type Move struct {
	Step    *Step
	AtOnce  bool    // (*): report it as waiting without looking
	After   []*Step // do not report it complete before these are
	Notices []notices
}

type notices struct {
	step  *Step
	count int
}

// maxInterleavings bounds what a scenario without permutations may expand to:
// more than this no reader will read.
const maxInterleavings = 200

// Parse reads a scenario.
func Parse(text string) (*Spec, error) {
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, spec: &Spec{steps: map[string]*Step{}}}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if len(p.spec.Permutations) == 0 {
		if err := p.spec.interleave(); err != nil {
			return nil, err
		}
	}
	return p.spec, nil
}

type token struct {
	text string
	kind byte // 'w' word, 'b' SQL block, or the punctuation itself
	line int
}

// scan cuts a scenario into words, blocks and punctuation.
func scan(text string) (list []token, err error) {
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case c == '{' || c == '"':
			end := strings.IndexByte(text[i+1:], map[byte]byte{'{': '}', '"': '"'}[c])
			if end < 0 {
				return nil, fmt.Errorf("line %d: %c is not closed", line, c)
			}
			body := text[i+1 : i+1+end]
			kind := byte('w')
			if c == '{' {
				kind, body = 'b', strings.TrimSpace(body)
			}
			list = append(list, token{body, kind, line})
			line += strings.Count(text[i:i+end+2], "\n")
			i += end + 2
		case strings.IndexByte("(),*", c) >= 0:
			list = append(list, token{string(c), c, line})
			i++
		default:
			end := i
			for end < len(text) && strings.IndexByte(" \t\r\n{}()\",*#", text[end]) < 0 {
				end++
			}
			if end == i {
				return nil, fmt.Errorf("line %d: unexpected %q", line, c)
			}
			list = append(list, token{text[i:end], 'w', line})
			i = end
		}
	}
	return list, nil
}

type parser struct {
	tokens []token
	spec   *Spec
}

func (p *parser) peek() token {
	if len(p.tokens) == 0 {
		return token{}
	}
	return p.tokens[0]
}

func (p *parser) take(kind byte) (string, error) {
	t := p.peek()
	if t.kind != kind {
		return "", fmt.Errorf("line %d: unexpected %q", t.line, t.text)
	}
	p.tokens = p.tokens[1:]
	return t.text, nil
}

// parse reads the parts of a scenario; setup and teardown belong to the session before them, if any.
func (p *parser) parse() error {
	var in *Session
	for len(p.tokens) > 0 {
		line := p.peek().line
		word, err := p.take('w')
		if err != nil {
			return err
		}
		switch word {
		case "setup", "teardown":
			sql, err := p.take('b')
			if err != nil {
				return err
			}
			p.block(in, word, sql)
		case "session":
			name, err := p.take('w')
			if err != nil {
				return err
			}
			in = &Session{Name: name}
			p.spec.Sessions = append(p.spec.Sessions, in)
		case "step":
			if err := p.step(in, line); err != nil {
				return err
			}
		case "permutation":
			if err := p.permutation(); err != nil {
				return err
			}
		default:
			return fmt.Errorf("line %d: unexpected %q", line, word)
		}
	}
	return nil
}

func (p *parser) block(in *Session, word, sql string) {
	switch {
	case in == nil && word == "setup":
		p.spec.Setup = append(p.spec.Setup, sql)
	case in == nil:
		p.spec.Teardown = sql
	case word == "setup":
		in.Setup = sql
	default:
		in.Teardown = sql
	}
}

func (p *parser) step(in *Session, line int) error {
	name, err := p.take('w')
	if err != nil {
		return err
	}
	sql, err := p.take('b')
	if err != nil {
		return err
	}
	if in == nil || p.spec.steps[name] != nil {
		return fmt.Errorf("line %d: step %s has no session, or is there already", line, name)
	}
	s := &Step{Name: name, SQL: sql, session: len(p.spec.Sessions) - 1}
	in.Steps = append(in.Steps, s)
	p.spec.steps[name] = s
	return nil
}

func (p *parser) permutation() error {
	var moves []Move
	for p.peek().kind == 'w' {
		t := p.peek()
		if t.text == "permutation" {
			break
		}
		s := p.spec.steps[t.text]
		if s == nil {
			return fmt.Errorf("line %d: there is no step %q", t.line, t.text)
		}
		p.tokens = p.tokens[1:]
		m := Move{Step: s}
		if p.peek().kind == '(' {
			p.tokens = p.tokens[1:]
			if err := p.markers(&m); err != nil {
				return err
			}
		}
		moves = append(moves, m)
	}
	p.spec.Permutations = append(p.spec.Permutations, moves)
	return nil
}

// markers reads what stands in the parentheses behind a step.
func (p *parser) markers(m *Move) error {
	for {
		t := p.peek()
		if len(p.tokens) > 0 {
			p.tokens = p.tokens[1:]
		}
		switch {
		case t.kind == '*':
			m.AtOnce = true
		case t.kind == 'w' && p.spec.steps[t.text] != nil:
			other := p.spec.steps[t.text]
			if p.peek().text != "notices" {
				m.After = append(m.After, other)
				break
			}
			p.tokens = p.tokens[1:]
			n, err := strconv.Atoi(p.peek().text)
			if err != nil {
				return fmt.Errorf("line %d: how many notices?", t.line)
			}
			p.tokens = p.tokens[1:]
			m.Notices = append(m.Notices, notices{other, n})
		case t.kind == ')':
			return nil
		case t.kind != ',':
			return fmt.Errorf("line %d: unexpected marker %q", t.line, t.text)
		}
	}
}

// interleave makes all permutations that keep the order inside each session.
func (s *Spec) interleave() error {
	at := make([]int, len(s.Sessions))
	var moves []Move
	var next func() error
	next = func() error {
		done := true
		for i, session := range s.Sessions {
			if at[i] == len(session.Steps) {
				continue
			}
			done = false
			moves = append(moves, Move{Step: session.Steps[at[i]]})
			at[i]++
			err := next()
			at[i]--
			moves = moves[:len(moves)-1]
			if err != nil {
				return err
			}
		}
		if done {
			s.Permutations = append(s.Permutations, append([]Move(nil), moves...))
		}
		if len(s.Permutations) > maxInterleavings {
			return fmt.Errorf("more than %d interleavings: name the permutations", maxInterleavings)
		}
		return nil
	}
	return next()
}
