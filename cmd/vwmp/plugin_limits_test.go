package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/vwmp/vwmp/host/pluginhost"
)

func TestSizesAreReadWithUnits(t *testing.T) {
	t.Parallel()
	for text, due := range map[string]byteSize{
		"0": 0, "-1": -1, "1024": 1024, "512MiB": 512 << 20, "1.5 GiB": 3 << 29, "2GB": 2e9, "7B": 7, "1e3": 1000,
	} {
		if got, err := parseByteSize(text); err != nil || got != due {
			t.Errorf("%q is %d: %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MiB", "-2", "-1KiB", "12XB", "NaN", "Inf", "9e30", "1 2"} {
		if got, err := parseByteSize(text); err == nil || !strings.Contains(err.Error(), "512MiB") {
			t.Errorf("%q is %d: %v", text, got, err)
		}
	}
}

func TestLimitsOfAPluginAreReadFromTheConfiguration(t *testing.T) {
	t.Parallel()
	text := "plugins: {git: {limits: {memory: 2GiB, processes: -1, open_files: 99, file_size: 4096, calls: 3, write: [~/.cache]}}}"
	var s settings
	if err := yaml.UnmarshalWithOptions([]byte(text), &s.config, yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	due := pluginhost.Limits{Memory: 2 << 30, Processes: -1, OpenFiles: 99, FileSize: 4096, Calls: 3, Write: []string{"~/.cache"}}
	if got := s.PluginLimits("git"); !reflect.DeepEqual(got, due) {
		t.Errorf("they are %+v", got)
	}
	if got := s.PluginLimits("other"); !reflect.DeepEqual(got, pluginhost.Limits{}) {
		t.Errorf("those of another are %+v", got)
	}
	if err := yaml.Unmarshal([]byte("plugins: {git: {limits: {memory: much}}}"), &s.config); err == nil || !strings.Contains(err.Error(), "much") {
		t.Errorf("what is no size gives %v", err)
	}
}
