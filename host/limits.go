package host

import "time"

// Limits bound what callers may take up. A zero field has its default, which
// is no bound where it says so.
type Limits struct {
	// RequestsPerCaller bounds the requests a second of one who is signed in,
	// over ten seconds; by default they are not counted.
	RequestsPerCaller int
	// RequestsPerAddress is the same for each address of those who are not.
	RequestsPerAddress int
	// Connections bounds the connections that are open at once; by default
	// they are not counted.
	Connections int
	// ConnectionsPerAddress is the same for each address.
	ConnectionsPerAddress int
	// SocketsPerCaller bounds the sockets and event streams that one caller
	// may have open; 50.
	SocketsPerCaller int

	// Body bounds the bytes of a request's body; 1 MiB. DocumentBody is the
	// same for workflow documents; 2 MiB.
	Body, DocumentBody int
	// Header bounds the bytes of a request's header, its address included;
	// 16 KiB. A connection has as much memory while its request arrives.
	Header int
	// HeaderLines bounds the number of its lines; 100.
	HeaderLines int
	// Address bounds the bytes of path and query; 8 KiB.
	Address int

	// SocketPing is how often a socket is pinged; a peer that is silent for
	// two of them is gone; 30 s.
	SocketPing time.Duration
	// SocketStart is how long an executing socket waits for the client's
	// first message; 1 s.
	SocketStart time.Duration
	// SocketWrite bounds the sending of one message to a socket; 10 s.
	SocketWrite time.Duration
	// ReadTimeout bounds the arrival of a request; 10 s.
	ReadTimeout time.Duration
	// WriteTimeout bounds the sending of an answer; 30 s.
	WriteTimeout time.Duration
	// IdleTimeout bounds the wait for a connection's next request; 120 s.
	IdleTimeout time.Duration
}

func (l Limits) withDefaults() Limits {
	for _, each := range []struct {
		value     *int
		byDefault int
	}{
		{&l.SocketsPerCaller, 50}, {&l.Body, 1 << 20}, {&l.DocumentBody, 2 << 20}, {&l.Header, 16 << 10}, {&l.HeaderLines, 100}, {&l.Address, 8 << 10},
	} {
		if *each.value <= 0 {
			*each.value = each.byDefault
		}
	}
	for _, each := range []struct {
		value     *time.Duration
		byDefault time.Duration
	}{
		{&l.SocketPing, 30 * time.Second}, {&l.SocketStart, time.Second}, {&l.SocketWrite, 10 * time.Second}, {&l.ReadTimeout, 10 * time.Second},
		{&l.WriteTimeout, 30 * time.Second}, {&l.IdleTimeout, 120 * time.Second},
	} {
		if *each.value <= 0 {
			*each.value = each.byDefault
		}
	}
	return l
}
