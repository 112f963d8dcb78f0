package earshot

import "context"

// CommitRevocation is Revoke for servers that hear no order: they have only the map to learn from.
func (s *Server) CommitRevocation(ctx context.Context, r Revocation) error {
	_, err := s.commitRevocation(ctx, r)
	return err
}
