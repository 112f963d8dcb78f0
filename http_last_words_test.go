package earshot_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
)

// TestLastWordsWaitForAPoll closes a server between two polls of a client: it is still there to say so.
func TestLastWordsWaitForAPoll(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	c.Want("welcome", `{"id":1}`)
	closed := make(chan error, 1)
	var closing sync.WaitGroup
	closing.Go(func() { closed <- srv.Close(context.Background()) })
	defer closing.Wait()
	select {
	case err := <-closed:
		t.Fatalf("the server did not wait for the client: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	c.Want("bye", `{"name":"draining"}`)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestLastWordsThatNobodyTakes closes a server whose client does not come again.
func TestLastWordsThatNobodyTakes(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.OpenHTTP(t, srv.URL, `{"id":1,"hello":{}}`)
	c.Want("welcome", `{"id":1}`)
	if err := srv.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
