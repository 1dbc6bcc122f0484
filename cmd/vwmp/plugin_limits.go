package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/vwmp/vwmp/host/pluginhost"
)

// pluginLimits bound the processes of one plugin. 0 leaves a limit at its
// default, -1 takes it away.
type pluginLimits struct {
	Memory    byteSize `json:"memory,omitempty" yaml:"memory" doc:"memory of a process, such as 512MiB; 0 is the default, -1 no bound" default:"1GiB"`
	Processes int      `json:"processes,omitempty" yaml:"processes" doc:"processes and threads of the plugin, where there are control groups" default:"1024"`
	OpenFiles int64    `json:"open_files,omitempty" yaml:"open_files" doc:"open files of a process" default:"4096"`
	FileSize  byteSize `json:"file_size,omitempty" yaml:"file_size" doc:"size of a file that it writes; without bound by default"`
	Calls     int      `json:"calls,omitempty" yaml:"calls" doc:"calls that one process serves at once"`
	// Write are further folders in which it may write; ~/ is the home folder.
	Write []string `json:"write,omitempty" yaml:"write" doc:"further folders in which it may write; ~/ is the home folder"`
}

// PluginLimits are those of the configuration.
func (s *settings) PluginLimits(plugin string) pluginhost.Limits {
	l := s.Plugins[plugin].Limits
	return pluginhost.Limits{
		Memory: int64(l.Memory), Processes: l.Processes, OpenFiles: l.OpenFiles, FileSize: int64(l.FileSize), Calls: l.Calls, Write: l.Write,
	}
}

// byteSize is a number of bytes, written as one or with a unit: 512MiB, 1GB.
type byteSize int64

var sizeUnits = []struct {
	name string
	size float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

func parseByteSize(text string) (byteSize, error) {
	number, factor := strings.TrimSpace(text), 1.0
	for _, unit := range sizeUnits {
		if rest, found := strings.CutSuffix(number, unit.name); found {
			number, factor = strings.TrimSpace(rest), unit.size
			break
		}
	}
	value, err := strconv.ParseFloat(number, 64)
	if size := value * factor; err == nil && !math.IsNaN(size) && size >= -1 && size < math.MaxInt64 {
		return byteSize(size), nil
	}
	return 0, fmt.Errorf("%q is no size: write a number of bytes, or one with a unit such as 512MiB", text)
}

// UnmarshalYAML reads a number or a text.
func (b *byteSize) UnmarshalYAML(decode func(any) error) error {
	var value any
	if err := decode(&value); err != nil {
		return err
	}
	size, err := parseByteSize(fmt.Sprint(value))
	if err != nil {
		return err
	}
	*b = size
	return nil
}

// UnmarshalJSON reads a number or a text.
func (b *byteSize) UnmarshalJSON(text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	size, err := parseByteSize(strings.Trim(string(text), `"`))
	*b = size
	return err
}
