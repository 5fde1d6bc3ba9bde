package serve

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

func logLevel(name string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(name)); err != nil {
		return 0, fmt.Errorf("log-level = %q; must be debug, info, warn or error", name)
	}
	return level, nil
}

// level is that of a configuration that was checked.
func (c *Config) level() slog.Level {
	level, _ := logLevel(c.LogLevel)
	return level
}

// newLog writes text to a terminal and JSON otherwise, unless format says which.
func newLog(w io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "auto" {
		format = "json"
		if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
			format = "text"
		}
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
