package serve

import (
	"fmt"
	"strings"
)

// HostList is hosts separated by commas. As a flag it may be repeated, in a
// configuration file it may be a list.
type HostList string

func (l *HostList) String() string { return string(*l) }

// Type is what the flag's help shows for a value.
func (l *HostList) Type() string { return "hosts" }

// Set adds to what is there.
func (l *HostList) Set(more string) error {
	if *l != "" && more != "" {
		more = string(*l) + "," + more
	}
	*l = HostList(more)
	return nil
}

// UnmarshalYAML reads a list, or one text as the flag takes it.
func (l *HostList) UnmarshalYAML(decode func(any) error) error {
	var list []string
	if err := decode(&list); err == nil {
		*l = HostList(strings.Join(list, ","))
		return nil
	}
	var text string
	if err := decode(&text); err != nil {
		return fmt.Errorf("write a list, or a text with commas: %w", err)
	}
	*l = HostList(text)
	return nil
}
