// Package sessiontimer is a session timer (RFC 4028) the way such things are written in the field: two time.AfterFunc,
// a mutex, callbacks. WITNESS_DEFECT breaks it in one of three ways that have been seen there:
//
//	own-refresh       a refresh of our own does not restart the expiry timer
//	received-refresh  a refresh of the peer does not restart it
//	no-422            an interval that is too small is taken all the same
package sessiontimer

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	minimumFloor   = 90
	expiryMargin   = 32 * time.Second
	refreshRetries = 3
)

var defect = os.Getenv("WITNESS_DEFECT")

// Header is a name and a value.
type Header = [2]string

// Settings are what the operator configures, in seconds.
type Settings struct {
	Enabled         bool   `json:"enabled"`
	DefaultExpires  int    `json:"default_expires"`
	MinSE           int    `json:"min_se"`
	PreferRefresher string `json:"prefer_refresher"`
	UseUpdate       bool   `json:"use_update"`
}

// SessionTimer watches over one dialog.
type SessionTimer struct {
	cfg       Settings
	isUAC     bool
	onRefresh func(method string)
	onExpired func(reason string)

	mu            sync.Mutex
	started       bool
	interval      int
	remoteMinSE   int
	weRefresh     bool
	remoteUpdates bool
	failures      int
	refreshTimer  *time.Timer
	expiryTimer   *time.Timer
}

// New returns a timer that is not running yet.
func New(cfg Settings, isUAC bool, onRefresh, onExpired func(string)) *SessionTimer {
	return &SessionTimer{cfg: cfg, isUAC: isUAC, onRefresh: onRefresh, onExpired: onExpired}
}

// Offer adds the session timer headers to a request.
func (t *SessionTimer) Offer(method string, initial bool) []Header {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.cfg.Enabled {
		return []Header{}
	}
	headers := []Header{{"Supported", "timer"}}
	if method != "INVITE" && method != "UPDATE" {
		return headers
	}
	interval, refresher := t.interval, "uas"
	if t.weRefresh {
		refresher = "uac"
	}
	if initial {
		interval, refresher = t.cfg.DefaultExpires, t.cfg.PreferRefresher
	}
	if minSE := max(t.remoteMinSE, t.cfg.MinSE); minSE > minimumFloor {
		headers = append(headers, Header{"Min-SE", strconv.Itoa(minSE)})
		interval = max(interval, minSE)
	}
	if t.interval > 0 || initial {
		headers = append(headers, formatSessionExpires(interval, refresher))
	}
	return headers
}

// Judge negotiates an INVITE or UPDATE of the peer: the status to reject it with, or 0, and the headers of the answer.
func (t *SessionTimer) Judge(headers map[string]string) (int, []Header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.cfg.Enabled {
		return 0, []Header{}
	}
	peerSupports := strings.Contains(headers["supported"], "timer") || strings.Contains(headers["k"], "timer")
	interval, refresher := parseSessionExpires(headers)
	t.remoteMinSE = max(t.remoteMinSE, parseSeconds(headers["min-se"]))
	if peerSupports && interval > 0 && interval < t.cfg.MinSE && defect != "no-422" {
		return 422, []Header{{"Min-SE", strconv.Itoa(t.cfg.MinSE)}}
	}
	answer := []Header{{"Supported", "timer"}}
	if interval == 0 && !peerSupports || interval > 0 && interval < minimumFloor && !peerSupports {
		return 0, answer
	}
	if interval == 0 {
		interval = max(t.cfg.DefaultExpires, t.remoteMinSE)
		if t.interval > 0 {
			interval = max(t.interval, t.remoteMinSE)
		}
	}
	if peerSupports {
		answer = append(answer, Header{"Require", "timer"})
	}
	return 0, append(answer, formatSessionExpires(interval, t.refresherFor(refresher, peerSupports)))
}

func (t *SessionTimer) refresherFor(asked string, peerSupports bool) string {
	if !peerSupports {
		return "uas"
	}
	if asked != "" {
		return asked
	}
	if t.interval > 0 {
		if t.weRefresh {
			return "uas"
		}
		return "uac"
	}
	if t.cfg.PreferRefresher != "" {
		return t.cfg.PreferRefresher
	}
	return "uac"
}

// Responded is called when our final response to the peer's INVITE or UPDATE has been sent.
func (t *SessionTimer) Responded(status int, headers map[string]string) {
	if status >= 300 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.negotiated(headers, "uas", defect == "received-refresh")
}

// Answered is called with the final response to an INVITE or UPDATE of ours; true asks for another try.
func (t *SessionTimer) Answered(status int, headers map[string]string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if status == 422 {
		minSE := parseSeconds(headers["min-se"])
		learnt := minSE > t.remoteMinSE
		t.remoteMinSE = max(t.remoteMinSE, minSE)
		return learnt
	}
	if status < 300 {
		t.remoteUpdates = strings.Contains(headers["allow"], "UPDATE")
		t.negotiated(headers, "uac", defect == "own-refresh")
	}
	return false
}

// RefreshResult is called with the outcome of a refresh that onRefresh asked for; 0 is a timeout.
func (t *SessionTimer) RefreshResult(status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case status >= 200 && status < 300:
	case status == 0, status == 408, status == 481:
		t.stop()
		go t.onExpired("refresh-failed")
	default:
		t.failures++
		if t.failures < refreshRetries && t.refreshTimer != nil {
			t.refreshTimer.Reset(max(10*time.Second, time.Duration(t.interval)*time.Second/8))
		}
	}
}

// negotiated starts or restarts the timers; keepExpiry is the defect.
func (t *SessionTimer) negotiated(headers map[string]string, role string, keepExpiry bool) {
	interval, refresher := parseSessionExpires(headers)
	if interval == 0 || !t.cfg.Enabled {
		t.stop()
		return
	}
	t.interval, t.weRefresh, t.failures = interval, refresher == role, 0
	if t.refreshTimer != nil {
		t.refreshTimer.Stop()
	}
	if t.weRefresh {
		t.refreshTimer = time.AfterFunc(time.Duration(interval)*time.Second/2, t.refresh)
	}
	if t.started && keepExpiry {
		return
	}
	if t.expiryTimer != nil {
		t.expiryTimer.Stop()
	}
	expiry := time.Duration(interval) * time.Second
	if !t.weRefresh {
		expiry -= min(expiryMargin, expiry/3)
	}
	t.expiryTimer = time.AfterFunc(expiry, t.expire)
	t.started = true
}

func (t *SessionTimer) refresh() {
	t.mu.Lock()
	method := "INVITE"
	if t.cfg.UseUpdate && t.remoteUpdates {
		method = "UPDATE"
	}
	t.mu.Unlock()
	t.onRefresh(method)
}

func (t *SessionTimer) expire() {
	t.Stop()
	t.onExpired("session-expired")
}

// Stop is called when the dialog is over.
func (t *SessionTimer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stop()
}

func (t *SessionTimer) stop() {
	for _, timer := range []*time.Timer{t.refreshTimer, t.expiryTimer} {
		if timer != nil {
			timer.Stop()
		}
	}
	t.interval, t.started = 0, false
}

func formatSessionExpires(interval int, refresher string) Header {
	if refresher == "" {
		return Header{"Session-Expires", strconv.Itoa(interval)}
	}
	return Header{"Session-Expires", fmt.Sprintf("%d;refresher=%s", interval, refresher)}
}

func parseSessionExpires(headers map[string]string) (int, string) {
	value := strings.ToLower(headers["session-expires"] + headers["x"])
	_, refresher, _ := strings.Cut(strings.ReplaceAll(value, " ", ""), ";refresher=")
	refresher, _, _ = strings.Cut(refresher, ";")
	return parseSeconds(value), refresher
}

func parseSeconds(value string) int {
	value, _, _ = strings.Cut(value, ";")
	seconds, _ := strconv.Atoi(strings.TrimSpace(value))
	return seconds
}
