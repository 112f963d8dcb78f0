package earshot_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/earshot/earshot"
	"github.com/earshot/earshot/internal/testkit"
	"github.com/earshot/earshot/wire"
)

func TestCallTheServer(t *testing.T) {
	var calls atomic.Int32
	srv := testkit.Start(t, earshot.Options{
		OnCall: func(ctx context.Context, s earshot.Session, c earshot.CallRequest) (earshot.Data, error) {
			switch calls.Add(1); c.Method {
			case "echo":
				return c.Data, nil
			case "never":
				<-ctx.Done()
				return earshot.Data{}, ctx.Err()
			}
			return earshot.Data{}, earshot.Reject("there is no method " + c.Method)
		},
	})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"call":{"method":"never","timeout_ms":50}}`)
	c.Send(`{"id":2,"call":{"method":"echo","data":[1,2]}}`)
	c.Want("result", `{"id":2,"data":[1,2]}`) // another call that takes its time is no hindrance
	c.Want("error", `{"id":1,"name":"timeout"}`)
	c.Send(`{"id":3,"call":{"method":"other"}}`)
	c.Want("error", `{"id":3,"name":"rejected","reason":"there is no method other"}`)

	before := calls.Load()
	for id := range 3 {
		c.Send(fmt.Sprintf(`{"id":%d,"call":{"method":"echo","data":"once","idem":"k"}}`, id+4))
		c.Want("result", fmt.Sprintf(`{"id":%d,"data":"once"}`, id+4))
	}
	for id := range 2 { // what was refused was answered, too
		c.Send(fmt.Sprintf(`{"id":%d,"call":{"method":"other","idem":"refused"}}`, id+20))
		c.Want("error", fmt.Sprintf(`{"id":%d,"name":"rejected"}`, id+20))
	}
	if made := calls.Load() - before; made != 2 {
		t.Errorf("two calls repeated under their ids were made %d times", made)
	}
	c.Send(`{"id":7,"call":{"method":"echo","data":"other","idem":"k"}}`)
	c.Want("error", `{"id":7,"name":"idem_reused"}`)
}

func TestNobodyAnswers(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"call":{"method":"echo"}}`)
	c.Want("error", `{"id":1,"name":"no_handler"}`)
	c.Send(`{"id":2,"call":{"method":"echo","to":"somebody"}}`)
	c.Want("error", `{"id":2,"name":"forbidden"}`)
}

func TestCallAnotherSession(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{
		OnSessionCall: func(context.Context, earshot.Session, earshot.CallRequest) error { return nil },
	})
	ann, ben := testkit.Connect(t, srv.URL), testkit.Connect(t, srv.URL)
	ann.Send(`{"id":1,"hello":{}}`)
	from := ann.Want("welcome", `{"id":1}`)["session"]
	ben.Send(`{"id":1,"hello":{}}`)
	to := ben.Want("welcome", `{"id":1}`)["session"]
	call := func(id int, method string) {
		ann.Send(fmt.Sprintf(`{"id":%d,"call":{"to":%q,"method":%q,"data":{"x":1}}}`, id, to, method))
	}

	call(2, "ring")
	ben.Want("call", fmt.Sprintf(`{"id":1,"from":%q,"method":"ring","data":{"x":1},"timeout_ms":"*"}`, from))
	ben.Send(`{"id":1,"result":{"data":"hello"}}`)
	ann.Want("result", `{"id":2,"data":"hello"}`)

	call(3, "ring")
	ben.Want("call", `{"id":2}`)
	ben.Send(`{"id":99,"result":{"data":"to a call that nobody made"}}`)
	ben.Send(`{"id":2,"result":{"error":"busy"}}`)
	ann.Want("error", `{"id":3,"name":"call_failed","reason":"busy"}`)

	call(4, "ring")
	ben.Want("call", `{"id":3}`)
	ben.Close()
	ann.Want("error", `{"id":4,"name":"no_session"}`)
	call(5, "ring")
	ann.Want("error", `{"id":5,"name":"no_session"}`)
}

func TestTooManyCalls(t *testing.T) {
	release := make(chan struct{})
	srv := testkit.Start(t, earshot.Options{
		OnCall: func(_ context.Context, _ earshot.Session, c earshot.CallRequest) (earshot.Data, error) {
			<-release
			return wire.JSONData([]byte("1")), nil
		},
	})
	c := testkit.Connect(t, srv.URL)
	const most = 64
	for id := range most + 1 {
		c.Send(fmt.Sprintf(`{"id":%d,"call":{"method":"wait"}}`, id+1))
	}
	c.Want("error", fmt.Sprintf(`{"id":%d,"name":"too_many_calls"}`, most+1))
	close(release)
	for range most {
		c.Want("result", `{"data":1}`)
	}
}

func TestServerCallsASession(t *testing.T) {
	srv := testkit.Start(t, earshot.Options{})
	c := testkit.Connect(t, srv.URL)
	c.Send(`{"id":1,"hello":{}}`)
	session := c.Want("welcome", `{"id":1}`)["session"].(string)
	type outcome struct {
		data earshot.Data
		err  error
	}
	call := func(patience time.Duration) chan outcome {
		done := make(chan outcome, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			data, err := srv.Call(ctx, session, "ring", wire.JSONData([]byte("[1]")))
			done <- outcome{data, err}
		}()
		return done
	}
	done := call(time.Minute)
	asked := c.Want("call", `{"id":1,"method":"ring","data":[1]}`)
	if asked["from"] != nil || asked["timeout_ms"].(float64) > 60_000 {
		t.Errorf("asked %v", asked)
	}
	c.Send(`{"id":1,"result":{"data":"yes"}}`)
	if o := <-done; o.err != nil || string(o.data.Body) != `"yes"` {
		t.Errorf("%s, %v", o.data.Body, o.err)
	}
	done = call(time.Minute)
	c.Want("call", `{"id":2}`)
	c.Send(`{"id":2,"result":{"error":"busy"}}`)
	wantCode(t, (<-done).err, wire.CodeCallFailed)
	done = call(time.Millisecond)
	c.Want("call", `{"id":3}`)
	if o := <-done; !errors.Is(o.err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the end of its time", o.err)
	}
	c.Send(`{"id":3,"result":{"data":"too late"}}`)
	done = call(time.Minute)
	c.Want("call", `{"id":4}`)
	c.Close()
	wantCode(t, (<-done).err, wire.CodeNoSession)
	_, err := srv.Call(t.Context(), session, "", earshot.Data{})
	wantCode(t, err, wire.CodeBadFrame)
}
