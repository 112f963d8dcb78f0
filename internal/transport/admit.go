package transport

import (
	"cmp"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/earshot/earshot/wire"
)

// admit sets the headers that every answer has and reports whether the request is to be served. Otherwise it was answered:
// because of its origin, or because it is a preflight (Fetch standard, section 3.2.2).
func (t *HTTP) admit(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Origin")
	if !t.origins.Allow(r) {
		refuse(w, wire.Errorf(wire.CodeForbidden, "this origin may not connect: add it to allowed_origins"))
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Set("Access-Control-Expose-Headers", "Retry-After")
	}
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, Last-Event-ID")
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
		return false
	}
	return true
}

// refuse answers with the error, as a frame.
func refuse(w http.ResponseWriter, e *wire.ProtocolError) { refuseWith(w, statusOf(e.Code), e) }

func refuseWith(w http.ResponseWriter, status int, e *wire.ProtocolError) {
	retryAfter(w, e.RetryAfter)
	answer(w, status, wire.Error{Code: e.Code, Reason: cmp.Or(e.Reason, e.Code.Text()), RetryAfter: e.RetryAfter})
}

// sendAway answers that the server takes nobody now.
func sendAway(w http.ResponseWriter, code wire.Code, delay time.Duration) {
	retryAfter(w, delay)
	answer(w, http.StatusServiceUnavailable, wire.Bye{Code: code, Delay: delay})
}

func retryAfter(w http.ResponseWriter, delay time.Duration) {
	if delay > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(delay.Seconds()))))
	}
}

// answer answers with one frame.
func answer(w http.ResponseWriter, status int, body wire.ServerBody) {
	line := lines{wire.JSON}.Frame(nil, wire.ServerFrame{Body: body})
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(line)))
	w.WriteHeader(status)
	_, _ = w.Write(line) // a client that is gone hears nothing
}

// statusOf returns the status that says about the same as the code.
func statusOf(code wire.Code) int {
	switch code {
	case wire.CodeForbidden, wire.CodeRejected:
		return http.StatusForbidden
	case wire.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case wire.CodeNoSession:
		return http.StatusNotFound
	case wire.CodeIdemReused, wire.CodeWrongKind:
		return http.StatusConflict
	case wire.CodeUnauthorized, wire.CodeTokenExpired:
		return http.StatusUnauthorized
	case wire.CodeInternal:
		return http.StatusInternalServerError
	}
	if code.Temporary() {
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
