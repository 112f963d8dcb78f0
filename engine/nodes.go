package engine

import "context"

// Nodes is what an engine for many nodes has besides Engine: it knows which nodes there are and carries messages between
// them. A message is heard at most once, and by the nodes that are connected at that moment; a survey tells who was not.
type Nodes interface {
	// Serve says who answers the other nodes. It is called once, before Run; without it this node hears nothing.
	Serve(NodeHandler)
	// Self is this node in its present run.
	Self() Node
	// List returns the nodes whose lease has not ended, this one included, in the order of their start.
	List(ctx context.Context) ([]Node, error)
	// Tell sends a message to the node with the id, or, with an empty id, to all others. It fails with ErrNoNode if that
	// node does not listen.
	Tell(ctx context.Context, id string, message []byte) error
	// Survey asks all nodes, this one included, and waits for their answers until ctx ends, which must have a deadline.
	// That some did not answer is no error.
	Survey(ctx context.Context, question []byte) (Survey, error)
}

// Node is one run of a node: it ends with the process, or with the lease that the node did not renew in time.
type Node struct {
	ID        string // of this run
	Name      string // as the operator named the node
	StartedMS int64  // when the run began
}

// NodeHandler hears what other nodes say. Its methods are called by the engine's goroutines.
type NodeHandler interface {
	// Told receives a message that was told to this node, or to all. Messages of one node come in order.
	Told(from string, message []byte)
	// Asked answers a survey. Several may be asked at once; ctx ends with the asker's deadline.
	Asked(ctx context.Context, from string, question []byte) []byte
	// Renewed says that this node's lease had ended, so that the others took it for dead and deleted the keys that its
	// sessions own. From now on it is self; its sessions must set their keys again.
	Renewed(self Node)
}

// Survey is what nodes answered.
type Survey struct {
	Answers map[string][]byte // by the node's id
	Missing []Node            // those that did not answer in time
}
