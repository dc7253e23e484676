// Package sessiontimer is a toy session timer (RFC 4028) as such things are written: time.AfterFunc, a mutex, callbacks.
// It knows nothing of simkit. Put yours in its place.
package sessiontimer

import (
	"math/rand"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	floor     = 90 // RFC 4028 section 4
	offersMax = 5  // requests in a row that are refused with 422
	triesMax  = 3  // of one refresh
)

// Settings are what a flow says of a party, in seconds.
type Settings struct {
	Enabled         bool   `json:"enabled"`
	DefaultExpires  int    `json:"default_expires"`
	MinSE           int    `json:"min_se"`
	PreferRefresher string `json:"prefer_refresher"`
	UseUpdate       bool   `json:"use_update"`
}

// Header is a name and a value.
type Header = [2]string

// SessionTimer is one side of one call.
type SessionTimer struct {
	settings Settings
	isCaller bool
	refresh  func(method string)
	hangUp   func(reason string)

	mu            sync.Mutex
	timers        []*time.Timer
	interval      int // 0: no session timer
	weRefresh     bool
	minSE         int // the largest seen
	tries         int
	retryAfter    int
	updateAllowed bool
}

// New returns a timer; refresh and hangUp are called from goroutines of its own.
func New(settings Settings, isCaller bool, refresh, hangUp func(string)) *SessionTimer {
	return &SessionTimer{settings: settings, isCaller: isCaller, refresh: refresh, hangUp: hangUp}
}

// Offer returns what a request of ours says (sections 7.1 and 7.4).
func (s *SessionTimer) Offer(method string, initial bool) []Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.settings.Enabled {
		return []Header{}
	}
	headers := []Header{{"Supported", "timer"}}
	if method != "INVITE" && method != "UPDATE" {
		return headers
	}
	least := max(s.minSE, s.settings.MinSE)
	if initial {
		headers = append(headers, sessionExpires(max(least, s.settings.DefaultExpires), s.settings.PreferRefresher))
	} else if s.interval > 0 && s.weRefresh {
		headers = append(headers, sessionExpires(max(least, s.interval), "uac"))
	} else if s.interval > 0 {
		headers = append(headers, sessionExpires(max(least, s.interval), "uas"))
	}
	if s.minSE > 0 || least > floor {
		headers = append(headers, Header{"Min-SE", strconv.Itoa(max(least, floor))})
	}
	return headers
}

// Answered takes the final response to our request and says whether to send it again (section 7.3).
func (s *SessionTimer) Answered(status int, headers map[string]string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	minSE := seconds(headers["min-se"])
	if status >= 200 && status < 300 {
		s.updateAllowed = strings.Contains(headers["allow"], "UPDATE")
		s.restart(headers, "uac")
	} else if status == 422 && s.tries < offersMax && minSE > s.minSE {
		s.tries++
		s.minSE = minSE
		return true
	} else {
		s.retryAfter = seconds(headers["retry-after"])
	}
	return false
}

// RefreshResult is told the status of a refresh of ours, 0 where nobody answered (section 10).
func (s *SessionTimer) RefreshResult(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status >= 200 && status < 300 {
		return
	}
	s.tries++
	if status == 0 || status == 408 || status == 481 {
		s.stop()
		go s.hangUp("refresh-failed")
	} else if status == 491 && s.tries == 1 && s.isCaller { // RFC 3261 section 14.1
		s.after(2100*time.Millisecond+time.Duration(rand.Intn(191))*10*time.Millisecond, s.refreshNow)
	} else if status == 491 && s.tries == 1 {
		s.after(time.Duration(rand.Intn(201))*10*time.Millisecond, s.refreshNow)
	} else if s.tries < triesMax && s.retryAfter > 0 {
		s.after(time.Duration(s.retryAfter)*time.Second, s.refreshNow)
	} else if s.tries < triesMax {
		s.after(time.Duration(max(10, s.interval/8))*time.Second, s.refreshNow)
	}
}

// Judge says how to answer the peer's INVITE or UPDATE: 422, or 0 to accept it, and with which headers (section 9).
func (s *SessionTimer) Judge(headers map[string]string) (int, []Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.settings.Enabled {
		return 0, []Header{}
	}
	supported := strings.Contains(headers["supported"]+headers["k"], "timer")
	s.minSE = max(s.minSE, seconds(headers["min-se"]))
	interval, refresher := readSessionExpires(headers)
	if supported && interval > 0 && interval < s.settings.MinSE {
		return 422, []Header{{"Min-SE", strconv.Itoa(s.settings.MinSE)}}
	}
	answer := []Header{{"Supported", "timer"}}
	if interval > 0 && interval < min(floor, s.settings.MinSE) || interval == 0 && !supported {
		return 0, answer
	}
	if interval == 0 && s.interval > 0 {
		interval = max(s.interval, s.minSE)
	} else if interval == 0 {
		interval = max(s.settings.DefaultExpires, s.minSE)
	}
	if supported {
		answer = append(answer, Header{"Require", "timer"})
	}
	return 0, append(answer, sessionExpires(interval, s.chooseRefresher(refresher, supported)))
}

func (s *SessionTimer) chooseRefresher(asked string, supported bool) string {
	switch {
	case !supported:
		return "uas"
	case asked != "":
		return asked
	case s.interval > 0 && s.weRefresh:
		return "uas"
	case s.interval > 0 || s.settings.PreferRefresher == "":
		return "uac"
	}
	return s.settings.PreferRefresher
}

// Responded is told that our final response to the peer's INVITE or UPDATE was sent.
func (s *SessionTimer) Responded(status int, headers map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status < 300 {
		s.restart(headers, "uas")
	}
}

// Stop is told that the call is over.
func (s *SessionTimer) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
}

func (s *SessionTimer) restart(headers map[string]string, ourRole string) {
	s.stop()
	s.tries = 0
	interval, refresher := readSessionExpires(headers)
	if interval > 0 { // from the peer it may be anything
		interval = max(interval, min(floor, s.settings.MinSE, s.settings.DefaultExpires))
	}
	s.interval, s.weRefresh = interval, refresher == ourRole
	if !s.settings.Enabled || interval == 0 {
		return
	}
	lifetime := time.Duration(interval) * time.Second
	if s.weRefresh {
		s.after(lifetime/2, s.refreshNow)
		s.after(lifetime, s.expired)
	} else {
		s.after(lifetime-min(32*time.Second, lifetime/3), s.expired)
	}
}

func (s *SessionTimer) stop() {
	for _, timer := range s.timers {
		timer.Stop()
	}
	s.timers = nil
}

func (s *SessionTimer) after(delay time.Duration, action func()) {
	s.timers = append(s.timers, time.AfterFunc(delay, action))
}

func (s *SessionTimer) refreshNow() {
	s.mu.Lock()
	byUpdate := s.settings.UseUpdate && s.updateAllowed
	s.mu.Unlock()
	if byUpdate {
		s.refresh("UPDATE")
	} else {
		s.refresh("INVITE")
	}
}

func (s *SessionTimer) expired() {
	s.Stop()
	s.hangUp("session-expired")
}

func sessionExpires(interval int, refresher string) Header {
	if refresher == "" {
		return Header{"Session-Expires", strconv.Itoa(interval)}
	}
	return Header{"Session-Expires", strconv.Itoa(interval) + ";refresher=" + refresher}
}

// readSessionExpires returns the interval, 0 where there is none, and the refresher, "" where it is not said.
func readSessionExpires(headers map[string]string) (int, string) {
	value := strings.ReplaceAll(strings.ToLower(headers["session-expires"]+headers["x"]), " ", "")
	for _, parameter := range strings.Split(value, ";")[1:] {
		if refresher, found := strings.CutPrefix(parameter, "refresher="); found {
			return seconds(value), refresher
		}
	}
	return seconds(value), ""
}

func seconds(value string) int {
	digits, _, _ := strings.Cut(value, ";")
	count, _ := strconv.Atoi(strings.TrimSpace(digits))
	return count
}
