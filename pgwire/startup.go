package pgwire

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/omendb/omendb/security"
	"github.com/omendb/omendb/sql"
	"github.com/omendb/omendb/sql/pgerr"
	"github.com/omendb/omendb/sql/types"
)

// startup leads a connection through its login to a session.
func (c *conn) startup(full bool) error {
	if full {
		return c.fatal(pgerr.New(pgerr.TooManyConnections, "sorry, too many clients already"))
	}
	body, err := c.startupPacket()
	if err != nil {
		return err
	}
	settings, err := c.parameters(body)
	if err != nil {
		return c.fatal(err)
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	if err := c.w.send(&pgproto3.AuthenticationOk{}); err != nil {
		return err
	}
	if err := c.connect(settings); err != nil {
		return err
	}
	// From here on deadlines are for interruptions only.
	if err := c.nc.SetDeadline(time.Time{}); err != nil {
		c.session.Close()
		return err
	}
	c.loggedIn.Store(true)
	return nil
}

// startupPacket answers requests for encryption and cancellation and returns
// the body of the start-up packet.
func (c *conn) startupPacket() ([]byte, error) {
	if err := c.directTLS(); err != nil {
		return nil, err
	}
	for range maxTokens {
		head, err := c.r.body(4)
		if err != nil {
			return nil, err
		}
		n := int(int32(binary.BigEndian.Uint32(head))) - 4
		if n < 4 || n > maxStartupPacket {
			return nil, c.fatal(pgerr.New(pgerr.ProtocolViolation, "invalid length of startup packet"))
		}
		body, err := c.r.body(n)
		if err != nil {
			return nil, err
		}
		switch code := binary.BigEndian.Uint32(body); code {
		case codeSSL:
			err = c.answerSSL()
		case codeGSSEnc:
			err = c.reply('N')
		case codeCancel:
			c.srv.cancelRequest(body)
			return nil, errClosed
		default:
			if code>>16 != protocolMajor {
				return nil, c.fatal(pgerr.New(pgerr.FeatureNotSupported, "unsupported frontend protocol %d.%d: server supports 3.0 to 3.%d",
					code>>16, code&0xffff, newestMinor))
			}
			c.minor = int(code & 0xffff)
			return body[4:], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, c.fatal(pgerr.New(pgerr.ProtocolViolation, "too many requests before the startup packet"))
}

// reply sends one byte outside of messages.
func (c *conn) reply(b byte) error {
	_, err := c.nc.Write([]byte{b})
	return err
}

// parameters reads the start-up packet and answers what of the protocol we do
// not know. It returns the settings.
func (c *conn) parameters(body []byte) (map[string]string, error) {
	settings := map[string]string{}
	var unknown []string
	m := message{b: body}
	for {
		name := string(m.str())
		if name == "" {
			break
		}
		value := string(m.str())
		switch {
		case name == "user":
			c.user = identifier(value)
		case name == "database":
			c.database = identifier(value)
		case name == "replication":
			if on, ok := types.ParseBool(value); !ok || on {
				return nil, pgerr.Unsupported("replication connections are not supported")
			}
		case strings.HasPrefix(name, optionPrefix):
			unknown = append(unknown, name)
		default:
			settings[name] = value
		}
		if len(settings)+len(unknown) > maxDistinctParams {
			return nil, pgerr.New(pgerr.ProtocolViolation, "too many parameters in startup packet")
		}
	}
	if m.bad || len(m.b) > 0 {
		return nil, pgerr.New(pgerr.ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
	}
	if c.user == "" {
		return nil, pgerr.New(pgerr.InvalidAuthorizationSpecification, "no PostgreSQL user name specified in startup packet")
	}
	if c.database == "" {
		c.database = c.user
	}
	if types.CheckEncoding([]byte(c.user)) != nil || types.CheckEncoding([]byte(c.database)) != nil {
		return nil, pgerr.New(pgerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\" in startup packet")
	}
	if c.minor > newestMinor || len(unknown) > 0 {
		c.minor = min(c.minor, newestMinor)
		newest := uint32(protocolMajor<<16 | c.minor)
		if err := c.w.send(&pgproto3.NegotiateProtocolVersion{NewestMinorProtocol: newest, UnrecognizedOptions: unknown}); err != nil {
			return nil, err
		}
	}
	return settings, commandLine(settings)
}

// identifier cuts a name as PostgreSQL does.
func identifier(s string) string { return types.TruncateName(s) }

// commandLine moves the settings of the parameter "options" (-c name=value,
// --name=value) into settings. Those given by name win.
func commandLine(settings map[string]string) error {
	text, ok := settings["options"]
	if !ok {
		return nil
	}
	delete(settings, "options")
	words := splitOptions(text)
	for i := 0; i < len(words); i++ {
		arg := words[i]
		switch {
		case arg == "-c" && i+1 < len(words):
			i++
			arg = words[i]
		case strings.HasPrefix(arg, "-c"):
			arg = arg[2:]
		case strings.HasPrefix(arg, "--"):
			arg = arg[2:]
		default:
			return pgerr.New(pgerr.SyntaxError, "invalid command-line argument for server process: %s", arg)
		}
		name, value, ok := strings.Cut(arg, "=")
		if !ok && strings.HasPrefix(words[i], "--") {
			return pgerr.New(pgerr.SyntaxError, "--%s requires a value", arg)
		}
		if !ok {
			return pgerr.New(pgerr.SyntaxError, "-c %s requires a value", arg)
		}
		name = strings.ReplaceAll(name, "-", "_")
		if _, given := settings[name]; !given {
			settings[name] = value
		}
	}
	return nil
}

// splitOptions splits at white space that no backslash escapes.
func splitOptions(s string) []string {
	var words []string
	var word []byte
	in := false
	for i := 0; i < len(s); i++ {
		ch := s[i]
		switch {
		case ch == '\\' && i+1 < len(s):
			i++
			word, in = append(word, s[i]), true
		case ch == ' ' || ch >= '\t' && ch <= '\r':
			if in {
				words, word, in = append(words, string(word)), word[:0], false
			}
		default:
			word, in = append(word, ch), true
		}
	}
	if in {
		words = append(words, string(word))
	}
	return words
}

// connect starts the session.
func (c *conn) connect(settings map[string]string) error {
	err := c.protect(func() error {
		s, err := c.srv.opts.Backend.Connect(sql.ConnectOptions{User: c.user, Database: c.database, Settings: settings,
			Client: client{c}, ClientAddr: address(c.nc.RemoteAddr()), ServerAddr: address(c.nc.LocalAddr()), TLS: c.encryption()})
		if err == nil {
			c.session = s
		}
		return err
	})
	if err != nil {
		return c.fatal(err)
	}
	return nil
}

// greet tells the client what it has to know of its session.
func (c *conn) greet() error {
	c.reported = c.session.ReportedSettings()
	names := make([]string, 0, len(c.reported))
	for name := range c.reported {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	for _, name := range names {
		if err := c.w.send(&pgproto3.ParameterStatus{Name: name, Value: c.reported[name]}); err != nil {
			return err
		}
	}
	if err := c.w.send(&pgproto3.BackendKeyData{ProcessID: uint32(c.session.PID()), SecretKey: c.cancelKey}); err != nil {
		return err
	}
	return c.ready()
}

// drawCancelKey makes the key by which the client may cancel.
func (c *conn) drawCancelKey() error {
	n := security.CancelKeyBytes
	if c.minor >= longKeyMinor {
		n = security.LongCancelKeyBytes
	}
	key, err := security.NewCancelKey(c.srv.opts.Random, n)
	c.cancelKey = key
	return err
}
