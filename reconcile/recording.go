package reconcile

import (
	"fmt"
	"time"

	"greenlight/rollout"
	"greenlight/rollout/record"
)

// record takes down what a switch heard: e, which led from before to the present
// state. A command that was refused was not heard.
func (l *loop) record(before rollout.State, e rollout.Event, actions []rollout.Action, now time.Time) {
	if l.o.Recordings == nil || refused(actions) != nil {
		return
	}
	l.recorder.Hear(before, l.state, e, now)
	l.keepRecording(now, before.Phase != l.state.Phase)
}

// keepRecording saves what was taken down, beside the loop.
func (l *loop) keepRecording(now time.Time, atOnce bool) {
	store := l.o.Recordings
	if store == nil {
		return
	}
	id, entries := l.recorder.Take(now, atOnce)
	if id == "" {
		return
	}
	part, err := record.Pack(entries)
	if err != nil {
		l.log.Error("a part of the recording is lost", "switch", id, "error", err)
		return
	}
	l.recorder.Kept(len(part))
	at := entries[0].At
	if !at.After(l.recorded) { // parts are told apart by their time
		at = l.recorded.Add(1)
	}
	l.recorded = at
	l.g.saver.put(fmt.Sprintf("recording of switch %s from %s", id, at.Format(time.RFC3339Nano)), func() error {
		return store.AppendRecording(id, at, part)
	})
}
