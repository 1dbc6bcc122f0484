package system

// Fence is what keeps a process in. What the system can't do is left out.
type Fence struct {
	// Files is nil for a process that may write and read what its user may.
	Files  *Files
	Limits Limits
	// Group is the control group to start it in, or nil.
	Group *Cgroup
}

// Files says which files a process may touch.
type Files struct {
	// Write are folders below which it may write, and files that it may.
	Write []string
	// Hidden is a folder whose files it can't read, but for what is below
	// Read and Write; empty hides nothing.
	Hidden string
	Read   []string
}

// Limits bound a process; a zero field is no bound.
type Limits struct {
	// Memory is in bytes, of the process and all that it started.
	Memory int64
	// Processes counts them, threads included.
	Processes int
	// OpenFiles is per process, FileSize in bytes.
	OpenFiles uint64
	FileSize  uint64
}
