package sessiontimer

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type object map[string]any

type request struct {
	ID, Now, Until, Dialog int
	Do, Side, Method       string
	Initial                bool
	Status                 any
	Headers                [][2]string
	Settings               Settings
}

// TestSimkit is the timer as a child of simkit: JSON lines on standard input and output, in simkit's time. The clock of
// the bubble stands still while it reads, and jumps when nobody in it has anything to do: time.AfterFunc needs no change.
func TestSimkit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timers, acted, start := map[int]*SessionTimer{}, make(chan object, 100), time.Now()
		in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
		out.Encode(object{"simkit": 1, "kind": "timer-logic", "name": "session_timer.go", "knows_next": false})
		for r := (request{}); in.Decode(&r) == nil; r = (request{}) {
			time.Sleep(time.Duration(r.Now)*time.Microsecond - time.Since(start)) // while there was no call
			actions := answer(timers, r, acted)
			out.Encode(object{"id": r.ID, "now": time.Since(start).Microseconds(), "actions": actions})
		}
	})
}

// answer does what simkit asks. This is what to change for a timer of yours: what it knows, and what it calls it.
func answer(timers map[int]*SessionTimer, r request, acted chan object) []object {
	timer, status, headers, actions := timers[r.Dialog], 0, map[string]string{}, []object{}
	for _, header := range r.Headers {
		headers[strings.ToLower(header[0])] = header[1]
	}
	if number, isNumber := r.Status.(float64); isNumber { // else "timeout": nobody answered
		status = int(number)
	}
	switch r.Do {
	case "open":
		timers[r.Dialog] = New(r.Settings, r.Side == "caller",
			func(method string) { acted <- object{"dialog": r.Dialog, "refresh": method} },
			func(reason string) { acted <- object{"dialog": r.Dialog, "bye": reason} })
	case "make_request":
		actions = append(actions, object{"headers": timer.Offer(r.Method, r.Initial)})
	case "receive_response":
		actions = append(actions, object{"retry": timer.Answered(status, headers)})
	case "refresh_result":
		timer.RefreshResult(status)
	case "receive_request":
		reject, added := timer.Judge(headers) // 0: accept
		actions = append(actions, object{"accept": reject == 0, "reject": reject, "headers": added})
	case "sent_response":
		timer.Responded(status, headers)
	case "advance":
		select {
		case action := <-acted:
			actions = append(actions, action)
		case <-time.After(time.Duration(r.Until-r.Now) * time.Microsecond):
		}
		for synctest.Wait(); len(acted) > 0; { // at the same instant
			actions = append(actions, <-acted)
		}
	case "close":
		timer.Stop()
	}
	return actions
}
