package main

import (
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

func TestMain(m *testing.M) { handlertest.Main(m, httpPlugin()) }

// request is a call that may reach this machine.
func request(dir string, config map[string]any) *handlertest.Call {
	return &handlertest.Call{Handler: "http.request", Dir: dir, Config: config, Adapter: map[string]any{"allow_private": true}}
}
