package data

import "context"

// MaxPluginRecord bounds what is kept of one plugin, in bytes.
const MaxPluginRecord = 64 << 10

// Plugins keeps what was decided of plugins, each under the plugin's name; a
// record is JSON that only its writer reads.
type Plugins interface {
	PluginRecords(ctx context.Context) (map[string][]byte, error)
	// PutPluginRecord is an ErrInvalid for a record that is too large.
	PutPluginRecord(ctx context.Context, name string, record []byte) error
	// DeletePluginRecord is nil for one that is gone.
	DeletePluginRecord(ctx context.Context, name string) error
}
