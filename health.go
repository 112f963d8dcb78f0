package earshot

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/earshot/earshot/engine"
	"github.com/earshot/earshot/wire"
)

// Health is what a server can't do at the moment.
type Health struct {
	// Ready says that new clients are well served here. A server whose disk is full is ready, as it reads, and carries what
	// is not kept; one whose store failed, whose Redis is away, or that is about to stop is not.
	Ready  bool    `json:"ready"`
	Faults []Fault `json:"faults,omitempty"`
}

// Fault is one thing that is wrong.
type Fault struct {
	Code  wire.Code `json:"-"` // what clients are told: CodeUnavailable, CodeDiskFull or CodeDraining
	Since time.Time `json:"since"`
	// Final says that it stays until the process starts anew.
	Final bool `json:"final"`
	// Err says more to an operator: it may name machines and files. It is nil when draining.
	Err error `json:"-"`
}

// MarshalJSON leaves out what is not for everybody.
func (f Fault) MarshalJSON() ([]byte, error) {
	type shown Fault
	return json.Marshal(struct {
		Name   string `json:"name"`
		Reason string `json:"reason"`
		shown
	}{f.Code.String(), f.Code.Text(), shown(f)})
}

// Health returns what is known now; it asks nobody and does not wait.
func (s *Server) Health() Health {
	h := Health{Ready: true}
	if since := s.leaving.Load(); since != nil {
		h.add(Fault{Code: wire.CodeDraining, Since: *since, Final: true})
	}
	if f := s.engine.Fault(); f != nil {
		code := wire.CodeUnavailable
		if errors.Is(f.Err, engine.ErrDiskFull) {
			code = wire.CodeDiskFull
		}
		h.add(Fault{Code: code, Since: f.Since, Final: f.Final, Err: f.Err})
	}
	return h
}

func (h *Health) add(f Fault) {
	h.Faults = append(h.Faults, f)
	if f.Final || f.Code != wire.CodeDiskFull {
		h.Ready = false
	}
}

// ServeReady answers a load balancer that asks whether to send clients here: 200, or 503, and Health as JSON. Who asks is not
// checked; errors and names of machines are not in it.
func (s *Server) ServeReady(w http.ResponseWriter, _ *http.Request) {
	h := s.Health()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !h.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(h) // an error is the asker's own: it went away
}
