package wire

// What host and plugin must agree on before they speak. The values stand in
// docs/plugin-protocol.md for authors in other languages.
const (
	// ProtocolVersion is the app protocol that this SDK speaks.
	ProtocolVersion = 1
	// CookieKey and CookieValue tell a plugin that a host started it. They
	// guard against mistakes, not against anybody.
	CookieKey   = "VWMP_PLUGIN"
	CookieValue = "8e2c5a0e-6f0b-4d6b-9f6a-0f7c5d1d3b11"
	// PluginKey is the name of the one service in go-plugin's set.
	PluginKey = "vwmp"
	// LifelineEnv holds the number of a file descriptor at whose end the
	// plugin ends: the host holds the other end open as long as it lives.
	LifelineEnv = "VWMP_LIFELINE_FD"
	// ReasonTimeout and ReasonCancelled are the reasons of a Cancel: the
	// attempt ran out of time, or somebody wished it to end.
	ReasonTimeout   = "timeout"
	ReasonCancelled = "cancelled"
)

// Window is how many bytes of a stream, and of a connection, may be on their
// way. gRPC's own windows grow with what they measure, and measure with a ping
// for nearly every message: half of what a small call costs. Both ends are on
// one machine, where there is nothing to measure.
const Window = 256 << 10
