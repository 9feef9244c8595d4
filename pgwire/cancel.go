package pgwire

import (
	"encoding/binary"
	"time"

	"github.com/omendb/omendb/security"
)

// cancelRequest stops the statement of the connection that a CancelRequest
// names, if its key is right. There is no answer, as the protocol has it.
func (s *Server) cancelRequest(body []byte) {
	if len(body) < minCancelPacket || len(body) > minCancelPacket-4+maxCancelKey {
		return
	}
	pid := int32(binary.BigEndian.Uint32(body[4:]))
	s.mu.Lock()
	c := s.byPID[pid]
	s.mu.Unlock()
	if c == nil || !security.SecretEqual(c.cancelKey, body[8:]) {
		s.opts.Log.Info().Str("event", "cancel.refused").Int32("pid", pid).Msg("wrong key in cancel request")
		return
	}
	for range cancelTries {
		if c.session.Cancel() {
			return
		}
		time.Sleep(cancelWait)
	}
}

// A request to cancel may overtake the statement that it is about, which was sent before it
// on another connection: it waits a while for a statement to begin. Clients wait for it.
const (
	cancelTries = 20
	cancelWait  = 2 * time.Millisecond
)
