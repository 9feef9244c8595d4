package engine

// OnCommit has fn called once when the transaction has committed: after its writes
// became visible and before its locks are released, so that whoever waits for
// one of them finds what fn published. The timestamp is 0 when the transaction
// wrote nothing that is logged.
func (t *Txn) OnCommit(fn func(timestamp LSN)) { t.commitHooks = append(t.commitHooks, fn) }

func (t *Txn) runCommitHooks(timestamp LSN) {
	for _, fn := range t.commitHooks {
		fn(timestamp)
	}
}
