package functions

import (
	"context"
	"github.com/omendb/omendb/engine/column"

	"github.com/omendb/omendb/sql/pgerr"
)

// testSession is a session with a user, a few settings and one sequence.
type testSession struct {
	random   *Random
	settings map[string]string
	notices  []*pgerr.Error
	sequence int64
	held     map[AdvisoryLock]int
}

func newTestSession() *testSession {
	return &testSession{random: NewRandom(1), settings: map[string]string{"client_encoding": "UTF8"}, held: map[AdvisoryLock]int{}}
}

func (s *testSession) CurrentUser() string { return "alice" }
func (s *testSession) SessionUser() string { return "bob" }
func (s *testSession) Database() string    { return "postgres" }
func (s *testSession) PID() int32          { return 42 }

func (s *testSession) Setting(name string) (string, bool) {
	v, ok := s.settings[name]
	return v, ok
}

func (s *testSession) SetSetting(name, value string, _ bool) (string, error) {
	s.settings[name] = value
	return value, nil
}

func (s *testSession) Random() *Random                               { return s.random }
func (s *testSession) Notice(n *pgerr.Error)                         { s.notices = append(s.notices, n) }
func (s *testSession) TransactionID(assign bool) (uint64, bool)      { return 7, assign }
func (s *testSession) CurrentSnapshot() (uint64, uint64, []uint64)   { return 5, 9, []uint64{6, 7} }
func (s *testSession) TransactionStatus(uint64) (string, error)      { return "committed", nil }
func (s *testSession) SequenceNext(OID) (int64, error)               { s.sequence++; return s.sequence, nil }
func (s *testSession) IdentityNext(OID) (int64, error)               { s.sequence++; return s.sequence, nil }
func (s *testSession) SequenceCurrent(OID) (int64, error)            { return s.sequence, nil }
func (s *testSession) SequenceLast() (int64, error)                  { return s.sequence, nil }
func (s *testSession) SequenceSet(_ OID, v int64, _ bool) error      { s.sequence = v; return nil }
func (s *testSession) AdvisoryUnlockAll()                            { clear(s.held) }
func (s *testSession) SignalBackend(pid int32, _ bool) (bool, error) { return pid == 42, nil }
func (s *testSession) ReloadConfig() error                           { return nil }
func (s *testSession) Info(key InfoKey) (string, bool)               { return "15.18", key == InfoVersion }

func (s *testSession) BlockingProcesses(int32) []int32 { return []int32{7} }
func (s *testSession) SnapshotBlockers(int32) []int32  { return nil }
func (s *testSession) AdvisoryLock(_ context.Context, l AdvisoryLock, try bool) (bool, error) {
	if try && s.held[l] > 0 {
		return false, nil
	}
	s.held[l]++
	return true, nil
}

func (s *testSession) AdvisoryUnlock(l AdvisoryLock) bool {
	if s.held[l] == 0 {
		return false
	}
	s.held[l]--
	return true
}

func (*testSession) CurrentOf(string, OID, int) (column.Datum, error) {
	return column.Datum{Null: true}, nil
}
