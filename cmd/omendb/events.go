package main

import (
	"github.com/rs/zerolog"

	"github.com/omendb/omendb/internal/event"
)

// levels say how loudly the log speaks of events; those not listed are debug.
var levels = map[event.Name]zerolog.Level{
	event.RecoveryStart: zerolog.InfoLevel, event.RecoveryProgress: zerolog.InfoLevel, event.RecoveryDone: zerolog.InfoLevel,
	event.WALCut: zerolog.WarnLevel, event.ScrubDone: zerolog.InfoLevel, event.WALDiskFull: zerolog.ErrorLevel, event.WALFatal: zerolog.ErrorLevel,
	event.Corruption: zerolog.ErrorLevel, event.TaskPanic: zerolog.ErrorLevel, event.Deadlock: zerolog.InfoLevel, event.QuerySlow: zerolog.InfoLevel,
}

// logEvents returns a sink that writes events to the log, in their own words.
func logEvents(log zerolog.Logger) event.Sink {
	return func(e event.Event) {
		level, ok := levels[e.Name]
		if !ok {
			level = zerolog.DebugLevel
		}
		line := log.WithLevel(level)
		if level < log.GetLevel() || line == nil {
			return
		}
		line.Str("event", string(e.Name))
		if e.Duration > 0 {
			line.Dur("took", e.Duration)
		}
		if e.File != "" {
			line.Str("file", e.File)
		}
		for _, f := range []struct {
			name  string
			value int64
		}{{"offset", e.Offset}, {"store", int64(e.Store)}, {"lsn", int64(e.LSN)}, {"bytes", e.Bytes}, {"count", e.Count}, {"changes", e.Changes}, {"done", e.Done}, {"total", e.Total}} {
			if f.value != 0 {
				line.Int64(f.name, f.value)
			}
		}
		if e.Err != nil {
			line.Err(e.Err)
		}
		line.Msg(e.Detail)
	}
}
