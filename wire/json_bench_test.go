package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/earshot/earshot/wire"
)

// benchData returns JSON data of about size bytes: an object with text, a number and a list.
func benchData(size int) []byte {
	const frame = `{"text":"","n":12345,"list":[1,2,3],"at":{"x":1.5,"y":-2}}`
	return []byte(strings.Replace(frame, `""`, `"`+strings.Repeat("word ", max(0, size-len(frame))/5)+`"`, 1))
}

// forSizes runs a benchmark for a message of each size.
func forSizes(b *testing.B, run func(b *testing.B, m wire.Message)) {
	for _, size := range []int{128, 1 << 10, 16 << 10} {
		data := benchData(size)
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			run(b, wire.Message{Event: "edit", Data: wire.JSONData(data)})
		})
	}
}

func benchPublish(m wire.Message) wire.ClientFrame {
	return wire.ClientFrame{ID: 7, Body: wire.Publish{Channel: "log:news", Idem: "k-1234567", Message: m}}
}

func benchPublication(m wire.Message) wire.ServerFrame {
	return wire.ServerFrame{Body: wire.Publication{
		Channel: "log:news", Offset: 123456, Position: "AQAAAAAAAAAqAAAABw", UnixMS: 1700000000000, User: "ann", Message: m,
	}}
}

func BenchmarkAppendPublish(b *testing.B) {
	forSizes(b, func(b *testing.B, m wire.Message) {
		frame := benchPublish(m)
		var dst []byte
		for b.Loop() {
			dst = wire.JSON.AppendClientFrame(dst[:0], frame)
		}
	})
}

func BenchmarkAppendPublication(b *testing.B) {
	forSizes(b, func(b *testing.B, m wire.Message) {
		frame := benchPublication(m)
		var dst []byte
		for b.Loop() {
			dst = wire.JSON.AppendServerFrame(dst[:0], frame)
		}
	})
}

func BenchmarkDecodePublish(b *testing.B) {
	forSizes(b, func(b *testing.B, m wire.Message) {
		text := wire.JSON.AppendClientFrame(nil, benchPublish(m))
		for b.Loop() {
			if _, err := wire.JSON.DecodeClientFrame(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecodePublication(b *testing.B) {
	forSizes(b, func(b *testing.B, m wire.Message) {
		text := wire.JSON.AppendServerFrame(nil, benchPublication(m))
		for b.Loop() {
			if _, err := wire.JSON.DecodeServerFrame(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkValidJSON(b *testing.B) {
	forSizes(b, func(b *testing.B, m wire.Message) {
		for b.Loop() {
			if err := wire.ValidJSON(m.Data.Body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
