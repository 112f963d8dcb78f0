package wire

// Codec writes and reads frames in one encoding. Its methods may be called concurrently.
//
// Append methods cannot fail: the frames are the program's own, their JSON data is valid JSON, and their bodies are the
// struct types of this package, not pointers to them. Another body is a panic.
//
// Decode methods return a *ProtocolError for every input that is not a valid frame within the limits. Its frame has no
// body and the ID of the input, or zero if that could not be read or is that of a call of the server's, which an error
// must not repeat: the client would take it for one of its own. DecodeServerFrame returns ErrUnknownFrame for a kind
// of frame that the codec does not know, and ignores fields that it does not know.
//
// Data.Body of a decoded frame may be a part of the input, which must not be modified as long as the frame is in use;
// everything else is a copy. JSON data is never empty: where there is none, it is null. The default event is empty.
type Codec interface {
	// Subprotocol is the WebSocket subprotocol (RFC 6455 section 1.9) that selects the codec.
	Subprotocol() string
	// Binary reports whether frames travel in binary messages rather than text.
	Binary() bool
	AppendServerFrame(dst []byte, f ServerFrame) []byte
	AppendClientFrame(dst []byte, f ClientFrame) []byte
	DecodeClientFrame(frame []byte) (ClientFrame, error)
	DecodeServerFrame(frame []byte) (ServerFrame, error)
}
