package lab_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"greenlight/examples/lab"
)

func TestLoadOfManyUsersChangesItsRate(t *testing.T) {
	said := make(chan string, 10000)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { said <- r.Header.Get("x-user") }))
	defer s.Close()
	l := lab.StartLoad(lab.LoadOptions{URLs: []string{s.URL}, Users: 5}) // paused
	time.Sleep(50 * time.Millisecond)
	if n := l.Counts().Requests; n != 0 {
		t.Errorf("a paused load sent %d requests", n)
	}
	l.SetRate(1000)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if _, err := l.Collect(ctx, 200, func(lab.Answer) bool { return true }); err != nil {
		t.Fatal(err)
	}
	if c := l.Stop(); c.Unexpected > 0 {
		t.Errorf("%+v", c)
	}
	users := map[string]bool{}
	for len(said) > 0 {
		users[<-said] = true
	}
	if len(users) != 5 || users[""] {
		t.Errorf("users %v, want 0 to 4", users)
	}
}
