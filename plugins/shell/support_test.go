package main

import (
	"testing"

	"github.com/vwmp/vwmp/plugins/internal/handlertest"
)

func TestMain(m *testing.M) { handlertest.Main(m, shellPlugin()) }
