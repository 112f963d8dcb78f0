package wire_test

import (
	"testing"

	"github.com/earshot/earshot/wire"
)

func TestClientFrameGoesRound(t *testing.T) {
	for _, text := range []string{
		`{"id":1,"hello":{"token":"t","client":"js/1","sender":"0123456789abcdef","resume":"r","heartbeat_ms":5000}}`,
		`{"sub":{"ch":"log:news","since":"p","last":5,"echo":false}}`,
		`{"unsub":{"ch":"log:news"}}`,
		`{"id":9007199254740991,"pub":{"ch":"log:news","key":"k","event":"e","data":{"a":[1, 2]},"tags":{"a":"1","b":"\n"}}}`,
		`{"pub":{"ch":"log:news","b64":"AAEC"}}`,
		`{"history":{"ch":"log:news","before":"p","limit":10}}`,
		`{"refresh":{"token":"t"}}`,
		`{"ping":{}}`,
		`{"id":3,"pong":{}}`,
	} {
		f, err := wire.JSON.DecodeClientFrame([]byte(text))
		if err != nil {
			t.Errorf("decode %s: %v", text, err)
			continue
		}
		if got := string(wire.JSON.AppendClientFrame(nil, f)); got != text {
			t.Errorf("went round as\n%s, was\n%s", got, text)
		}
	}
}
