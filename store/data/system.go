package data

import (
	"context"
	"time"
)

// StoreFormat is the version of what a store keeps on disk. Format 2 brought the
// history by month.
const StoreFormat = 2

// Session is a signed-in browser.
type Session struct {
	// Principal names who signed in, Role what they may do.
	Principal string    `json:"principal"`
	Role      string    `json:"role"`
	CreatedAt time.Time `json:"created_at"`
	Expires   time.Time `json:"expires"`
	// UserAgent helps a person to tell sessions apart.
	UserAgent string `json:"user_agent,omitempty"`
	// Address is where the sign-in came from.
	Address string `json:"address,omitempty"`
}

// KeptSession is a session and the hash that it is kept by.
type KeptSession struct {
	Hash string
	Session
}

// Sessions keeps sessions by the hash of their secret, never the secret.
type Sessions interface {
	// Sessions lists those of one principal, or all where it is empty, by
	// the time when they were made.
	Sessions(ctx context.Context, principal string) ([]KeptSession, error)
	// EndSessions deletes all of one principal, but the one that keep names.
	EndSessions(ctx context.Context, principal, keep string) error
	PutSession(ctx context.Context, hash string, session Session) error
	// Session is an engine.ErrNotFound for one that is gone or expired.
	Session(ctx context.Context, hash string) (Session, error)
	// DeleteSession is nil for one that is gone.
	DeleteSession(ctx context.Context, hash string) error
}

// Descriptions keeps what plugins said of themselves by the SHA-256 of their
// binaries, in hex, and those sums by a key of the file's identity.
type Descriptions interface {
	Description(ctx context.Context, sha256 string) (description []byte, found bool, err error)
	PutDescription(ctx context.Context, sha256 string, description []byte) error
	FileChecksum(ctx context.Context, key string) (sha256 string, found bool, err error)
	PutFileChecksum(ctx context.Context, key, sha256 string) error
}

// Meta identifies a store.
type Meta struct {
	InstanceID string `json:"instance_id"`
	Format     int    `json:"format"`
	// BootEpoch rises each time the store is opened.
	BootEpoch uint64 `json:"boot_epoch"`
	// Clean says that the last host closed the store.
	Clean bool `json:"clean"`
}

// Stats are figures about a store.
type Stats struct {
	// FileSize is in bytes, 0 for a store in memory.
	FileSize   int64 `json:"file_size"`
	Workflows  int   `json:"workflows"`
	Executions int   `json:"executions"`
	Live       int   `json:"live"`
	// Commits counts transactions since the store was opened, Commands what
	// they held.
	Commits  uint64 `json:"commits"`
	Commands uint64 `json:"commands"`
	// LastCommit is how long the last transaction took, in nanoseconds.
	LastCommit time.Duration `json:"last_commit"`
	// Full says that commits wait for room on the disk.
	Full bool `json:"full"`
}

// Report is the outcome of a check of every invariant.
type Report struct {
	// Problems are what must not be; Warnings what a person may care about.
	Problems []string `json:"problems"`
	Warnings []string `json:"warnings"`
	// The counts say how much was looked at.
	Pages      int `json:"pages"`
	Workflows  int `json:"workflows"`
	Executions int `json:"executions"`
	Events     int `json:"events"`
	LogLines   int `json:"log_lines"`
	// Audit counts the records of the audit trail, whose chain was checked.
	Audit int `json:"audit"`
	// Months are the files of the history, Blobs the outputs kept apart.
	Months int `json:"months"`
	Blobs  int `json:"blobs"`
}

// MaxReported bounds the problems and the warnings of a Report.
const MaxReported = 1000

// Problem adds a problem, up to MaxReported of them.
func (r *Report) Problem(text string) {
	if len(r.Problems) < MaxReported {
		r.Problems = append(r.Problems, text)
	}
}

// Warn adds a warning, up to MaxReported of them.
func (r *Report) Warn(text string) {
	if len(r.Warnings) < MaxReported {
		r.Warnings = append(r.Warnings, text)
	}
}

// OK reports whether there are no problems.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

// System is what an operator asks a store.
type System interface {
	Meta() Meta
	Stats(ctx context.Context) (Stats, error)
	// Check looks at every record; its error is that it could not.
	Check(ctx context.Context) (Report, error)
}

// Retention bounds what is kept of executions that have ended.
type Retention struct {
	// Days is how many days after its end an execution is kept; 0 is
	// without bound.
	Days int `json:"days"`
	// PerWorkflow is how many executions of a stored workflow are kept,
	// live ones included, the newest first; 0 is without bound.
	PerWorkflow int `json:"per_workflow"`
}

// BackupOptions say where a backup goes and what is in it.
type BackupOptions struct {
	// File must not be there yet; empty is a name with the time, in the
	// folder backup/ of the data folder.
	File string
	// WithKey takes the key of the secrets and the admin token along.
	WithKey bool
}

// Backup is a file from which a data folder can be made.
type Backup struct {
	File string `json:"file"`
	// Size is in bytes.
	Size      int64     `json:"size"`
	Files     int       `json:"files"`
	Format    int       `json:"format"`
	CreatedAt time.Time `json:"created_at"`
	// SHA256 is of the content before its manifest, in hex.
	SHA256  string `json:"sha256"`
	WithKey bool   `json:"with_key"`
}

// Backups makes backups while everything goes on.
type Backups interface {
	// Backup returns once the file was read back and is durable.
	Backup(ctx context.Context, options BackupOptions) (Backup, error)
}
