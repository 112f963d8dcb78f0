package websocket

// lane says who goes first. A pair of workers serves the two lanes of a connection side by side, so neither waits for the
// other: the operating system shares out the cores, and lets a worker that seldom has work begin at once, while one
// that writes to thousands has to take turns with whatever else the machine does.
type lane uint8

const (
	// soon is for connections that wait for something of their own, such as an answer, or news that few are told.
	soon lane = iota
	// later is for connections that are told what very many are told, or have more to say than fits in a turn.
	later
	lanes // how many there are
)
