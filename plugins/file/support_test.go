package main

import (
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

func TestMain(m *testing.M) { handlertest.Main(m, filePlugin()) }

func call(handler, dir string, config map[string]any) *handlertest.Call {
	return &handlertest.Call{Handler: "file." + handler, Dir: dir, Config: config}
}
