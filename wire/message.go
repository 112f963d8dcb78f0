package wire

// DefaultEvent is the event name of a message that names none.
const DefaultEvent = "message"

// Message is what a publisher says: an event name, data, and tags.
type Message struct {
	Event string // empty means DefaultEvent
	Data  Data
	Tags  map[string]string // nil for none
}

// Data is a message's payload: JSON text or bytes. The zero value is JSON null.
type Data struct {
	// Body is JSON text, byte for byte as it came, or, if Binary, any bytes. Shared and read-only once published.
	Body   []byte
	Binary bool
}

// JSONData returns text, which must be valid JSON, as Data without copying it.
func JSONData(text []byte) Data { return Data{Body: text} }

// BinaryData returns b as Data without copying it.
func BinaryData(b []byte) Data { return Data{Body: b, Binary: true} }
