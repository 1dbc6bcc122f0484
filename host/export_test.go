package host

// RouteName is a row of the route table, for tests that walk it.
type RouteName struct{ Method, Pattern, Permission string }

// RouteNames lists the route table.
func RouteNames() []RouteName {
	var names []RouteName
	for _, r := range routeTable() {
		names = append(names, RouteName{r.method, r.pattern, r.permission.String()})
	}
	return names
}

// OpenStreams counts the sockets and event streams that are open.
func (s *Server) OpenStreams() int {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return s.streams.open
}
