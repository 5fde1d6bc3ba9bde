package policy

import (
	"context"
	"log/slog"
	"time"
)

const byteOrderMark = "\uFEFF"

func Parse(file string, data []byte, root string) (models []*Model, fleets []*Fleet, problems []Problem) {
	return nil, nil, nil
}

type Reading struct{ Dir string }

func Read(dir string) Reading { return Reading{Dir: dir} }

func Merge(prev Set, r Reading, now time.Time) Set { return prev }

type Folder struct{ dir string }

func NewFolder(dir string, allowRemoval bool, log *slog.Logger) *Folder { return &Folder{dir} }

func (f *Folder) Watch(ctx context.Context, prev Set, emit func(Set)) error { return nil }

func Lint(paths []string) []Problem { return nil }

func Schema() ([]byte, error) { return nil, nil }
