package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/vwmp/vwmp/pluginsdk/plugintest"
)

func TestItGreetsTwice(t *testing.T) {
	var got greeted
	plugintest.Run(t, plugin().Handler("greeter.hello"), greeting{Name: "Ada", Times: 2}).MustSucceed(t, &got)
	if got.Greeting != "Hello, Ada!\nHello, Ada!\n" {
		t.Errorf("it says %q", got.Greeting)
	}
}

func TestUndoRestoresTheFile(t *testing.T) {
	handler := plugin().Handler("greeter.write")
	result := plugintest.Run(t, handler, letter{Path: "a.txt", Name: "Ada"}, plugintest.WithFile("a.txt", "before"))
	result.MustSucceed(t, nil)
	plugintest.Undo(t, handler, letter{}, result.UndoToken, plugintest.InWorkspace(result.Workspace)).MustSucceed(t, nil)
	if text, err := os.ReadFile(filepath.Join(result.Workspace, "a.txt")); err != nil || string(text) != "before" {
		t.Errorf("after the undo there is %q, %v", text, err)
	}
}

func TestTheDescriptionIsSound(t *testing.T) { plugintest.CheckDescription(t, plugin()) }
