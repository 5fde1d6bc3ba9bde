package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"
)

func TestLogFormats(t *testing.T) {
	for format, isJSON := range map[string]bool{"json": true, "text": false, "auto": true} { // a buffer is no terminal
		var out bytes.Buffer
		log := newLog(&out, slog.LevelInfo, format)
		log.Debug("hidden")
		log.Info("shown", "model", "fraud")
		if got := json.Valid(out.Bytes()); got != isJSON || !strings.Contains(out.String(), "fraud") || strings.Contains(out.String(), "hidden") {
			t.Errorf("%s wrote %s", format, &out)
		}
	}
}

func TestLogToAFileIsJSON(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, ok := newLog(file, slog.LevelInfo, "auto").Handler().(*slog.JSONHandler); !ok {
		t.Error("a file is logged to as to a terminal")
	}
}

func TestLogToATerminalIsText(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Logf("no terminal can be had here: %v", err)
		return
	}
	defer terminal.Close()
	if _, ok := newLog(terminal, slog.LevelInfo, "auto").Handler().(*slog.TextHandler); !ok {
		t.Error("a terminal is logged to as to a file")
	}
	if _, ok := newLog(terminal, slog.LevelInfo, "json").Handler().(*slog.JSONHandler); !ok {
		t.Error("the terminal wins over --log-format")
	}
}

func TestLogLevels(t *testing.T) {
	for name, want := range map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "WARN": slog.LevelWarn,
	} {
		got, err := logLevel(name)
		if err != nil || got != want {
			t.Errorf("%s is %v, %v", name, got, err)
		}
		config := Config{LogLevel: name}
		log := newLog(&bytes.Buffer{}, config.level(), "text")
		if log.Enabled(context.Background(), want-1) || !log.Enabled(context.Background(), want) {
			t.Errorf("%s logs from another level on", name)
		}
	}
	for _, name := range []string{"", "loud", "2"} {
		if _, err := logLevel(name); err == nil || !strings.HasPrefix(err.Error(), "log-level = ") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
