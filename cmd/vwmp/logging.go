package main

import (
	"io"
	"log/slog"
	"os"
)

func getenv(name string) string { return os.Getenv(name) }

func (s *settings) level() slog.Level {
	var level slog.Level
	// check has seen to it that the word is one of four.
	_ = level.UnmarshalText([]byte(s.LogLevel))
	return level
}

func newLogger(w io.Writer, format string, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
