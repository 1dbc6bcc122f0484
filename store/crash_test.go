package store

func runWriter() bool { return false }
