package modelserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// maxRequest bounds a request's body.
const maxRequest = 4 << 20

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v2", s.serverMetadata)
	mux.HandleFunc("GET /v2/health/live", s.live)
	mux.HandleFunc("GET /v2/health/ready", s.readiness)
	mux.HandleFunc("GET /v2/models/{name}", s.named(s.metadata))
	mux.HandleFunc("GET /v2/models/{name}/ready", s.named(s.readiness))
	mux.HandleFunc("POST /v2/models/{name}/infer", s.named(s.infer))
	mux.HandleFunc("POST /admin/fail", s.adminFail)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(VersionHeader, s.opts.Version)
		w.Header().Set(ColorHeader, s.opts.Color)
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		mux.ServeHTTP(w, r)
	})
}

// named answers 404 for models that are not served here.
func (s *Server) named(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if name := r.PathValue("name"); name != s.opts.Name {
			fail(w, http.StatusNotFound, fmt.Errorf("no model %q; this server has %q", name, s.opts.Name))
			return
		}
		next(w, r)
	}
}

func (s *Server) live(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]bool{"live": true})
}

func (s *Server) readiness(w http.ResponseWriter, _ *http.Request) {
	if !s.ready() {
		fail(w, http.StatusServiceUnavailable, errors.New("not ready"))
		return
	}
	answer(w, map[string]any{"name": s.opts.Name, "ready": true})
}

func (s *Server) serverMetadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"name": "greenlight-modelserver", "version": s.opts.Version, "extensions": []string{}})
}

func (s *Server) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"name":     s.opts.Name,
		"versions": []string{s.opts.Version},
		"platform": "logistic-regression",
		"inputs":   []tensorMetadata{{"features", "FP64", []int{-1, len(s.model.Features)}}},
		"outputs":  []tensorMetadata{{"probability", "FP64", []int{-1}}, {"label", "INT64", []int{-1}}},
	})
}

type tensorMetadata struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
}

func (s *Server) infer(w http.ResponseWriter, r *http.Request) {
	var request inferRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("read request: %w", err))
		return
	}
	rows, err := request.rows(len(s.model.Features))
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	mode := s.meet(r.Context(), r.Header.Get(UserHeader))
	switch mode {
	case Errors, Hang:
		fail(w, http.StatusInternalServerError, errors.New("the model was made to fail"))
		return
	case Refuse:
		fail(w, http.StatusUnprocessableEntity, errors.New("the model was made to refuse"))
		return
	case Cut:
		// An answer shorter than it says makes net/http close the connection.
		w.Header().Set("Content-Length", "64")
		send(w, http.StatusOK, []byte(`{"model_name":`))
		return
	}
	answer(w, s.predict(request.ID, rows, mode == Wrong))
}

func (s *Server) adminFail(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Mode    Mode     `json:"mode"`
		Rate    float64  `json:"rate"`
		DelayMs float64  `json:"delayMs"`
		Users   []string `json:"users,omitempty"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&body); err != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("read request: %w", err))
		return
	}
	delay := time.Duration(body.DelayMs * float64(time.Millisecond))
	if err := s.Fail(Fault{Mode: body.Mode, Rate: body.Rate, Delay: delay, Users: body.Users}); err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	answer(w, body)
}

func answer(w http.ResponseWriter, body any) {
	b, err := json.Marshal(body)
	if err != nil { // huge features make the probability NaN, which JSON can't say
		fail(w, http.StatusInternalServerError, fmt.Errorf("encode answer: %w", err))
		return
	}
	send(w, http.StatusOK, b)
}

func fail(w http.ResponseWriter, status int, err error) {
	b, _ := json.Marshal(map[string]string{"error": err.Error()}) // strings always encode
	send(w, status, b)
}

func send(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // it only fails when the client is gone
}
